package io.llava4j.train.run;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.FileErrors;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.run.input.RecipeSettings;
import io.llava4j.train.run.input.RunInputs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One run of a recipe in its directory: settings, metrics, checkpoints and the model that comes out. */
public final class TrainingRun {
    /** Folder of the finished model within the run directory. */
    public static final String MODEL = "model";

    private static final String INPUTS = "inputs.json";
    private static final String COMPLETE = "complete";
    private static final Pattern PROCESSES = Pattern.compile("# trained by (\\d+) processes");

    private TrainingRun() {}

    /** What happens to an earlier run in the directory. */
    public enum Start {
        /** A directory with a finished model or a checkpoint is refused. */
        NEW,
        /** The run continues from the newest checkpoint, if there is one, with the same settings and inputs. */
        RESUME,
        /** As {@link #RESUME}, but settings and inputs that have changed are noted and accepted. */
        RESUME_CHANGED,
        /** The earlier run is deleted. */
        OVERWRITE
    }

    /** Trains in one process. */
    public static <C extends Record & RunConfig> boolean run(
            C config,
            Function<? super C, Objective> objectives,
            Start start,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        return run(config, objectives, start, listener, stopRequested, ProcessGroup.alone());
    }

    /** Trains in one process, resumed or in a directory without an earlier run. */
    public static <C extends Record & RunConfig> boolean run(
            C config,
            Function<? super C, Objective> objectives,
            boolean resume,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        return run(config, objectives, resume ? Start.RESUME : Start.NEW, listener, stopRequested);
    }

    /**
     * Trains, and writes the model when all steps are done. A run that is complete already is left as it is when it is
     * resumed with the same settings and inputs.
     *
     * @param config the recipe
     * @param objectives builds the training objective; called when nothing else can refuse the run any more
     * @param start what happens to an earlier run in the directory
     * @param listener receives every step; notes are for rank 0 only
     * @param stopRequested true ends the run after the current step, with a checkpoint
     * @param group processes that train together; all see the same run directory, and rank 0 writes to it
     * @return whether the run is complete
     * @throws ConfigException if the directory holds an earlier run that {@code start} does not allow, or one of another
     *     recipe, or if the processes do not have the same recipe and inputs
     */
    public static <C extends Record & RunConfig> boolean run(
            C config,
            Function<? super C, Objective> objectives,
            Start start,
            TrainingListener listener,
            BooleanSupplier stopRequested,
            ProcessGroup group) {
        Path directory = config.output();
        Path model = directory.resolve(MODEL);
        boolean resume = start == Start.RESUME || start == Start.RESUME_CHANGED;
        String yaml = ConfigFile.toYaml(config);
        SameRun.requireRecipe(group, yaml);
        RecipeSettings settings = new RecipeSettings(yaml, group.size());
        TrainState.Store known = new TrainState.Store(
                directory.resolve("checkpoints"),
                config.checkpoint().keepLast(),
                settings.fingerprint(),
                RunInputs.NONE);
        List<String> changes = new ArrayList<>();
        String earlier = group.onFirst(() -> {
            if (resume && Files.exists(model)) {
                requireSame(directory, settings);
                requireSameInputs(config, objectives);
                return COMPLETE;
            }
            if (start == Start.NEW) {
                requireEmpty(directory, known);
            }
            if (resume && !known.hasSameSettings()) {
                changes.addAll(settings.changesSince(settingsOf(directory)));
                require(start, changes, "settings", known);
            }
            return "";
        });
        if (earlier.equals(COMPLETE)) {
            return true;
        }
        // Last of what may refuse: until here an earlier run in the directory is as it was.
        try (Objective objective = objectives.apply(config)) {
            RunInputs inputs = objective.inputs();
            SameRun.requireInputs(group, inputs);
            TrainState.Store checkpoints = known.with(inputs);
            group.onFirst(() -> {
                prepare(start, checkpoints, changes);
                AtomicFiles.write(
                        directory.resolve("config.yaml"),
                        (processes(group.size()) + yaml).getBytes(StandardCharsets.UTF_8));
                inputs.write(directory.resolve(INPUTS));
                return "";
            });
            if (!group.rank().isFirst()) {
                return train(config, objective, checkpoints, resume, listener, stopRequested)
                        .complete();
            }
            objective.notes().forEach(listener::note);
            changes.forEach(change -> listener.note("changed since the last checkpoint: " + change));
            return lead(config, objective, checkpoints, resume, listener, stopRequested);
        }
    }

    /** Refuses a run whose inputs have changed, or deletes what an earlier one has left. */
    private static void prepare(Start start, TrainState.Store checkpoints, List<String> changes) {
        if (start == Start.RESUME || start == Start.RESUME_CHANGED) {
            List<String> inputs = checkpoints.changedInputs();
            require(start, inputs, "inputs", checkpoints);
            changes.addAll(inputs);
        } else {
            checkpoints.clear();
            AtomicFiles.deleteDirectory(checkpoints.best());
            AtomicFiles.deleteDirectory(checkpoints.directory().resolveSibling(MODEL));
        }
    }

    /** How a run ended. */
    private record Ended(boolean complete, Trainer trainer) {}

    private static Ended train(
            RunConfig config,
            Objective objective,
            TrainState.Store checkpoints,
            boolean resume,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        try (BackgroundCheckpoints background = new BackgroundCheckpoints(checkpoints)) {
            Trainer trainer = new Trainer(config, objective, background, listener, stopRequested);
            boolean complete = trainer.run(resume, () -> {
                if (trainer.progress().samples() > 0) {
                    saveModel(objective, checkpoints.directory().resolveSibling(MODEL));
                }
            });
            return new Ended(complete, trainer);
        }
    }

    private static void saveModel(Objective objective, Path folder) {
        objective
                .parameters()
                .readOnFirst(() -> Engine.scope("saving the model", () -> {
                    objective.save(folder);
                    return "";
                }));
    }

    /** Trains on rank 0, which keeps the files of the run. */
    private static boolean lead(
            RunConfig config,
            Objective objective,
            TrainState.Store checkpoints,
            boolean resume,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        Path directory = config.output();
        try (RunFiles files = new RunFiles(directory, config.logging(), objective::skipped)) {
            Ended ended = train(
                    config,
                    objective,
                    checkpoints,
                    resume,
                    TrainingListener.all(List.of(files, listener)),
                    stopRequested);
            RunProgress progress = ended.trainer().progress();
            files.leftOut().ifPresent(listener::note);
            String bestTask = objective.heldOut() == null
                    ? null
                    : objective.heldOut().config().bestTask();
            best(progress.evaluations(), bestTask, checkpoints).ifPresent(listener::note);
            if (ended.complete()) {
                if (progress.samples() == 0) {
                    throw new DataException(
                            "no sample could be used, so nothing was trained; " + firstReason(objective.skipped()));
                }
                files.result(progress, objective.dataSets(), bestTask);
                checkpoints.clear();
            }
            return ended.complete();
        }
    }

    private static void requireEmpty(Path directory, TrainState.Store checkpoints) {
        if (Files.exists(directory.resolve(MODEL))) {
            throw new ConfigException("the run directory " + directory
                    + " already holds a finished model; choose another one with --set output=…, or replace it with"
                    + " --overwrite");
        }
        checkpoints.latest().ifPresent(state -> {
            throw new ConfigException(
                    "the run directory %s holds the checkpoint %s; continue with --resume, or delete it with --overwrite"
                            .formatted(directory, state.getFileName()));
        });
        if (Files.exists(checkpoints.best())) {
            throw new ConfigException(
                    "the run directory %s holds the best model of an unfinished run; choose another one with --set output=…, or delete it with --overwrite"
                            .formatted(directory));
        }
    }

    private static Optional<String> best(
            RunProgress.Evaluations evaluations, @Nullable String task, TrainState.Store checkpoints) {
        if (evaluations.bestStep() == 0) {
            return Optional.empty();
        }
        Path folder = checkpoints.bestOf(evaluations.bestStep());
        return Optional.of(String.format(
                Locale.ROOT,
                "the %s, after step %d%s",
                task == null
                        ? String.format(Locale.ROOT, "smallest held-out loss is %.4f", evaluations.best())
                        : String.format(Locale.ROOT, "highest score of %s is %.2f", task, -evaluations.best()),
                evaluations.bestStep(),
                Files.exists(folder) ? "; its model is " + folder : ""));
    }

    private static void require(Start start, List<String> changes, String what, TrainState.Store checkpoints) {
        if (start == Start.RESUME && !changes.isEmpty()) {
            throw new CheckpointException(
                    "%s belongs to a run with other %s: %s; restore them, choose another output folder, or continue with what is there now with --resume --accept-changes"
                            .formatted(checkpoints.latest().orElseThrow(), what, String.join(", ", changes)));
        }
    }

    private static void requireSame(Path directory, RecipeSettings settings) {
        List<String> changes = settings.changesSince(settingsOf(directory));
        if (!changes.isEmpty()) {
            throw new ConfigException(
                    "the run in %s is finished already with %d steps; other settings need another output; changed: %s"
                            .formatted(directory, RunFiles.stepsOf(directory), String.join(", ", changes)));
        }
    }

    /** Of a finished run; a run of an earlier version did not keep its inputs. */
    private static <C extends Record & RunConfig> void requireSameInputs(
            C config, Function<? super C, Objective> objectives) {
        Path directory = config.output();
        Path file = directory.resolve(INPUTS);
        if (!Files.exists(file)) {
            return;
        }
        RunInputs then = RunInputs.read(file);
        try (Objective objective = objectives.apply(config)) {
            List<String> changes = objective.inputs().changesSince(then);
            if (!changes.isEmpty()) {
                throw new ConfigException(
                        "the run in %s is finished already with %d steps; other inputs need another output; changed: %s"
                                .formatted(directory, RunFiles.stepsOf(directory), String.join(", ", changes)));
            }
        }
    }

    /** First line of the recipe that a run of several processes keeps. */
    private static String processes(int count) {
        return count == 1 ? "" : "# trained by %d processes\n".formatted(count);
    }

    private static RecipeSettings settingsOf(Path directory) {
        Path file = directory.resolve("config.yaml");
        try {
            String yaml = Files.readString(file);
            Matcher processes = PROCESSES.matcher(yaml);
            return new RecipeSettings(yaml, processes.lookingAt() ? Integer.parseInt(processes.group(1)) : 1);
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    /** Why nothing could be trained on. */
    static String firstReason(List<SkippedRecord> skipped) {
        return skipped.isEmpty()
                ? "give it data"
                : "the first reason: " + skipped.getFirst().message();
    }
}
