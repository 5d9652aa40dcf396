package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.app.ablate.LadderRun;
import io.llava4j.app.ablate.LadderSource;
import io.llava4j.app.ablate.OneProcess;
import io.llava4j.app.ablate.Trainer;
import io.llava4j.app.launch.SeveralProcesses;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.eval.report.LadderReport;
import io.llava4j.train.launch.LaunchPlan;
import io.llava4j.train.recipe.RecipeLoader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava ablate}: trains and measures the steps of a ladder. */
@Command(
        name = "ablate",
        description = "Train and measure models that differ in a few keys, with error bars; resumable.",
        footer = {
            "",
            "llava ablate recipes/ladders/table1.yaml",
            "    the paper's Table 1 in miniature; an hour or two on a CPU. recipes/ladders/nano-plus.yaml says how to draw its data.",
            "llava ablate recipes/ladders/table1.yaml --plan",
            "    prints what would be trained, and how much of it the steps share."
        })
final class AblateCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "LADDER", description = "YAML file; those that come with llava4j are in recipes/ladders/.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path file;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "DIR",
            description = "Folder that ladders share (default: ${DEFAULT-VALUE}). What is equal is trained once in it;"
                    + " the report goes into a folder named after the ladder.")
    private Path output = Path.of("runs/ladders");

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Change a key of the ladder, for example seeds=[1] or evaluation.limit=200; repeatable.")
    private Map<String, String> overrides = new LinkedHashMap<>();

    @Option(
            names = "--quick",
            description = "Four optimiser steps, 24 questions of each benchmark, two seeds: checks the ladder, gives no"
                    + " meaningful numbers.")
    private boolean quick;

    @Option(names = "--plan", description = "Check every step, print what would be trained and measured, and stop.")
    private boolean plan;

    @Option(
            names = {"-n", "--processes"},
            paramLabel = "N",
            description = "Processes that train each model, one per GPU, as llava launch starts them (default:"
                    + " ${DEFAULT-VALUE}). They multiply the samples of a step.")
    private int processes = 1;

    private AblateCommand() {}

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        LadderSource source = LadderSource.load(file, overrides, ModelPath::named);
        if (quick) {
            source = source.quick();
        }
        String name = Path.of(RecipeLoader.defaultOutput(file)).getFileName() + (quick ? "-quick" : "");
        Optional<LadderReport> report;
        try (StopSignal stop = new StopSignal(err, "the next safe point")) {
            LadderRun run = new LadderRun(source, output, name, trainer(err, stop), stop, note -> {
                err.println("note: " + note);
                err.flush();
            });
            if (plan) {
                out.print(run.plan().text());
                out.flush();
                return CommandLine.ExitCode.OK;
            }
            report = run.run();
        }
        if (report.isEmpty()) {
            err.println("stopped; run the same command again to continue");
            return INTERRUPTED;
        }
        out.print(report.get().text());
        out.println(output.resolve(name).resolve(LadderReport.PAGE));
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    private Trainer trainer(PrintWriter err, StopSignal stop) {
        if (processes == 1) {
            return new OneProcess(stop);
        }
        LaunchPlan launch;
        try {
            launch = LaunchPlan.oneNode(processes, LaunchPlan.RESTARTS, Duration.ofSeconds(LaunchPlan.TIMEOUT_SECONDS));
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        return new SeveralProcesses(launch, Main.class, BuildInfo.version(), err, stop);
    }
}
