package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.app.run.BenchmarkScores;
import io.llava4j.app.terminal.ProgressLine;
import io.llava4j.app.terminal.StopSignal;
import io.llava4j.app.terminal.TrainingProgress;
import io.llava4j.nano.pretrain.PretrainObjectives;
import io.llava4j.nano.pretrain.PretrainingRecipes;
import io.llava4j.nano.pretrain.PretrainingStage;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.tensor.collective.Rank;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.launch.Heartbeat;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.ProcessGroups;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.DryRun;
import io.llava4j.train.run.Objective;
import io.llava4j.train.run.RunConfig;
import io.llava4j.train.run.TrainingListener;
import io.llava4j.train.run.TrainingRun;
import io.llava4j.train.run.Truncation;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
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

    @Option(
            names = "--resume",
            description = "Continue from the newest checkpoint of the run directory, if there is one.")
    private boolean resume;

    @Option(
            names = "--accept-changes",
            description = "With --resume: continue although settings, data, images or weights have changed since the"
                    + " checkpoint; the changes are printed.")
    private boolean acceptChanges;

    @Option(
            names = "--overwrite",
            description = "Delete an earlier run in the run directory, its checkpoints and its model, and start anew.")
    private boolean overwrite;

    @Option(
            names = "--max-left-out",
            paramLabel = "SHARE",
            description = "Largest share of the records that may be left out, from 0 to 1: data.max-left-out.")
    private @Nullable String maxLeftOut;

    @Option(
            names = "--dry-run",
            description =
                    "Check recipe, data and model, print the resolved recipe, the memory and time that the run will take"
                            + " and the number of steps, and stop.")
    private boolean dryRun;

    @Mixin
    private PlanOptions plan = new PlanOptions();

    @Override
    public Integer call() {
        if (resume && overwrite) {
            throw new ParameterException(spec.commandLine(), "--resume and --overwrite exclude each other");
        }
        if (acceptChanges && !resume) {
            throw new ParameterException(spec.commandLine(), "--accept-changes needs --resume");
        }
        if (maxLeftOut != null) {
            overrides.put("data.max-left-out", maxLeftOut);
        }
        try (Heartbeat heartbeat = Heartbeat.start(System.getenv())) {
            return heartbeat.during(() -> train(heartbeat));
        }
    }

    private int train(Heartbeat heartbeat) {
        Map<String, String> env = System.getenv();
        Rank rank = Rank.fromEnvironment(env);
        PretrainingRecipes own = new PretrainingRecipes(recipe, overrides, env);
        Optional<PretrainingStage> stage = own.stage();
        if (stage.isEmpty()) {
            TrainConfig config = new RecipeLoader(ModelPath::named).load(recipe, overrides, env);
            Notes notes = new Notes(spec.commandLine().getErr());
            if (dryRun || plan.only()) {
                plan.print(config, spec.commandLine().getOut(), notes::note);
            }
            if (plan.only()) {
                return CommandLine.ExitCode.OK;
            }
            try (ProcessGroup group = heartbeat.during(() -> ProcessGroups.join(rank, config))) {
                return run(
                        ProcessGroups.on(rank, config),
                        known -> Objectives.create(known, BenchmarkScores.of(known, notes::note), group),
                        group,
                        heartbeat);
            }
        }
        if (!rank.isAlone()) {
            throw new ConfigException("%s is a recipe of stage %s, which one process trains; unset RANK and WORLD_SIZE"
                    .formatted(recipe, stage.get().name().toLowerCase(Locale.ROOT)));
        }
        if (plan.only()) {
            throw new ParameterException(
                    spec.commandLine(), "--plan is for recipes of stage pretrain and finetune; leave it out");
        }
        return switch (stage.get()) {
            case TOWER -> run(own.tower(), PretrainObjectives::tower, ProcessGroup.alone(), heartbeat);
            case LANGUAGE -> run(own.language(), PretrainObjectives::language, ProcessGroup.alone(), heartbeat);
        };
    }

    private <C extends Record & RunConfig> int run(
            C config, Function<C, Objective> objectives, ProcessGroup group, Heartbeat heartbeat) {
        PrintWriter out = spec.commandLine().getOut();
        if (dryRun) {
            out.print(ConfigFile.toYaml(config));
            String line =
                    DryRun.run(config, objectives, new Notes(spec.commandLine().getErr())::note);
            out.println("# " + line);
            out.flush();
            return CommandLine.ExitCode.OK;
        }
        PrintWriter err = spec.commandLine().getErr();
        String stage = "stage " + config.stage().name().toLowerCase(Locale.ROOT);
        try (StopSignal stop = new StopSignal(err, "the checkpoint of this step");
                ProgressLine progress = ProgressLine.onStderr(stage, "steps")) {
            heartbeat.whenLauncherIsGone(stop::request);
            TruncationSum truncation = new TruncationSum();
            TrainingListener listener = group.rank().isFirst()
                    ? TrainingListener.all(
                            List.of(new TrainingProgress(progress), truncation, heartbeat, new Notes(err)))
                    : heartbeat;
            boolean complete =
                    heartbeat.during(() -> TrainingRun.run(config, objectives, start(), listener, stop, group));
            truncation.print(err);
            if (!complete) {
                err.println("stopped; continue with --resume");
                return 130;
            }
        }
        if (group.rank().isFirst()) {
            out.println(config.output().resolve(TrainingRun.MODEL));
            out.flush();
        }
        return CommandLine.ExitCode.OK;
    }

    private TrainingRun.Start start() {
        if (overwrite) {
            return TrainingRun.Start.OVERWRITE;
        }
        if (acceptChanges) {
            return TrainingRun.Start.RESUME_CHANGED;
        }
        return resume ? TrainingRun.Start.RESUME : TrainingRun.Start.NEW;
    }

    /** Prints what the user should know. */
    private record Notes(PrintWriter err) implements TrainingListener {
        @Override
        public void note(String sentence) {
            err.println("note: " + sentence);
            err.flush();
        }

        @Override
        public void step(Step step) {}
    }

    /** Counts what samples lost to the longest sequence, so that the loss does not go unnoticed. */
    private static final class TruncationSum implements TrainingListener {
        private Truncation sum = Truncation.NONE;

        @Override
        public void step(Step step) {
            sum = sum.plus(step.truncation());
        }

        void print(PrintWriter err) {
            if (sum.samples() > 0) {
                err.println(String.format(
                        Locale.ROOT,
                        "%,d samples were longer than data.max-length and lost their last %,d tokens",
                        sum.samples(),
                        sum.tokens()));
                err.flush();
            }
        }
    }
}
