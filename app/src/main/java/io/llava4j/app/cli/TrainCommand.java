package io.llava4j.app.cli;

import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.app.terminal.TrainingProgress;
import io.llava4j.nano.pretrain.PretrainObjectives;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.TrainingListener;
import io.llava4j.train.run.TrainingRun;
import io.llava4j.train.run.Truncation;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code llava train}: runs a recipe. */
@Command(name = "train", description = "Train a stage by its recipe; resumable.")
public final class TrainCommand implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    @Parameters(paramLabel = "RECIPE", description = "YAML file; those that come with llava4j are in recipes/.")
    @SuppressWarnings("NullAway.Init") // set by picocli
    private Path recipe;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Change a key of the recipe, for example optimizer.learning-rate=1e-4; repeatable.")
    private Map<String, String> overrides = new LinkedHashMap<>();

    @Option(names = "--resume", description = "Go on from the newest checkpoint of the run directory, if there is one.")
    private boolean resume;

    @Option(
            names = "--dry-run",
            description = "Check recipe, data and model, print the resolved recipe and the number of steps, and stop.")
    private boolean dryRun;

    @Override
    public Integer call() {
        TrainConfig config = new RecipeLoader().load(recipe, overrides, System.getenv());
        PrintWriter out = spec.commandLine().getOut();
        if (dryRun) {
            out.print(new RecipeLoader().toYaml(config));
            out.println("# " + TrainingRun.dryRun(config, PretrainObjectives::create));
            out.flush();
            return CommandLine.ExitCode.OK;
        }
        String stage = "stage " + config.stage().name().toLowerCase(Locale.ROOT);
        try (StopSignal stop = new StopSignal(spec.commandLine().getErr(), "the checkpoint of this step");
                ProgressLine progress = ProgressLine.onStderr(stage, "steps")) {
            CutSamples cut = new CutSamples();
            TrainingListener listener = TrainingListener.all(List.of(new TrainingProgress(progress), cut));
            boolean complete = TrainingRun.run(config, PretrainObjectives::create, resume, listener, stop);
            cut.tell(spec.commandLine().getErr(), config.data().maxLength());
            if (!complete) {
                spec.commandLine().getErr().println("stopped; go on with --resume");
                return 130;
            }
        }
        out.println(config.output().resolve(TrainingRun.MODEL));
        out.flush();
        return CommandLine.ExitCode.OK;
    }

    /** Counts what samples lost to the longest sequence, so that it is not lost in silence. */
    private static final class CutSamples implements TrainingListener {
        private Truncation sum = Truncation.NONE;

        @Override
        public void step(Step step) {
            sum = sum.plus(step.cut());
        }

        void tell(PrintWriter err, int maxLength) {
            if (sum.samples() > 0) {
                err.println(String.format(
                        Locale.ROOT,
                        "%,d samples were longer than data.max-length %d and lost their last %,d tokens",
                        sum.samples(),
                        maxLength,
                        sum.tokens()));
                err.flush();
            }
        }
    }
}
