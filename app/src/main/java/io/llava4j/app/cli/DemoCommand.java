package io.llava4j.app.cli;

import io.llava4j.app.demo.Demo;
import io.llava4j.app.serve.ServerOptions;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.report.Condition;
import io.llava4j.eval.report.Results;
import io.llava4j.eval.report.RunComparison;
import io.llava4j.eval.report.TaskResult;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code llava demo}: trains and evaluates a nano model from the first image to the report. */
@Command(
        name = "demo",
        description = "Train and evaluate a nano LLaVA and write a report: minutes on a CPU, resumable.")
public final class DemoCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Option(names = "--output", paramLabel = "DIR", description = "Run directory (default: ${DEFAULT-VALUE}).")
    private Path output = Path.of("runs/demo");

    @Option(
            names = "--quick",
            description = "Run every phase on a few images: checks the installation, gives no meaningful numbers.")
    private boolean quick;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Change a key of both stages' recipes, for example threads=1; repeatable.")
    private Map<String, String> overrides = new LinkedHashMap<>();

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        PrintWriter err = spec.commandLine().getErr();
        Optional<Results> results;
        try (StopSignal stop = new StopSignal(err, "the next safe point")) {
            results =
                    new Demo(Home.directory(), output, quick ? Demo.Size.QUICK : Demo.Size.FULL, overrides, stop).run();
        }
        if (results.isEmpty()) {
            err.println("stopped; run 'llava demo' again to resume");
            return 130;
        }
        print(out, results.get());
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    private void print(PrintWriter out, Results results) {
        out.println();
        out.println("nano numbers, in percent        sighted     blind    before stage 2");
        row(out, "VQA accuracy", results::vqaAccuracy);
        row(out, "POPE accuracy", results::popeAccuracy);
        row(out, "POPE F1", results::popeF1);
        out.println();
        out.println("benchmarks (MME: points of 2000)");
        Optional<RunComparison> comparison = results.comparison();
        for (Benchmark benchmark : Benchmarks.published()) {
            row(
                    out,
                    benchmark.title(),
                    condition -> value(results, condition, benchmark),
                    comparison.map(runs -> runs.mark(benchmark)).orElse(""));
        }
        out.print(comparison.map(RunComparison::legend).orElse(""));
        out.printf(
                Locale.ROOT,
                "%nLLaVA-Bench and MM-Vet: graded by a local rule that compares words%n"
                        + "%d VQA and %d POPE questions about drawings by held-out artists; %.0f s in total, %.1f GB peak memory%n%n",
                results.vqaQuestions(),
                results.popeQuestions(),
                results.seconds(),
                results.peakRssBytes() / 1e9);
        out.println("report   " + output.resolve("report.html"));
        out.println("results  " + output.resolve("results.json"));
        out.println("browser  ./llava serve -m " + output.resolve("model") + ", then open " + ServerOptions.PAGE);
        out.println("chat     ./llava chat --model " + output.resolve("model") + " --image "
                + output.resolve("benchmarks/vqav2/val2014/COCO_val2014_000000000001.jpg"));
    }

    private static Optional<Double> value(Results results, Condition condition, Benchmark benchmark) {
        return Optional.ofNullable(results.benchmarks().get(condition))
                .flatMap(run -> run.task(benchmark.name()))
                .map(TaskResult::value);
    }

    private static void row(PrintWriter out, String name, Function<Condition, Optional<Double>> value) {
        row(out, name, value, "");
    }

    private static void row(PrintWriter out, String name, Function<Condition, Optional<Double>> value, String mark) {
        StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-28s", name));
        for (Condition condition : Condition.values()) {
            line.append(value.apply(condition)
                    .map(number -> String.format(Locale.ROOT, "%10.1f", number))
                    .orElse(String.format(Locale.ROOT, "%10s", "-")));
        }
        out.println(line.append("  ").append(mark).toString().stripTrailing());
    }
}
