package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.tensor.Engine;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.data.SkippedRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** One run of a recipe in its directory: settings, metrics, checkpoints and the model that comes out. */
public final class TrainingRun {
    /** Folder of the finished model within the run directory. */
    public static final String MODEL = "model";

    private TrainingRun() {}

    /** What happens to an earlier run in the directory. */
    public enum Start {
        /** A directory with a finished model or a checkpoint is refused. */
        NEW,
        /** The run continues from the newest checkpoint, if there is one. */
        RESUME,
        /** The earlier run is deleted. */
        OVERWRITE
    }

    /** Trains, resumed or in a directory without an earlier run. */
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
     * resumed.
     *
     * @param config the recipe
     * @param objectives builds the training objective; called when nothing else can refuse the run any more
     * @param start what happens to an earlier run in the directory
     * @param listener receives every step
     * @param stopRequested true ends the run after the current step, with a checkpoint
     * @return whether the run is complete
     * @throws ConfigException if the directory holds an earlier run that {@code start} does not allow, or one of another
     *     recipe
     */
    public static <C extends Record & RunConfig> boolean run(
            C config,
            Function<? super C, Objective> objectives,
            Start start,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        Path directory = config.output();
        Path model = directory.resolve(MODEL);
        boolean resume = start == Start.RESUME;
        String yaml = ConfigFile.toYaml(config);
        TrainState.Store checkpoints = new TrainState.Store(
                directory.resolve("checkpoints"), config.checkpoint().keepLast(), Fingerprint.of(yaml));
        if (Files.exists(model) && resume) {
            requireSame(directory, yaml);
            return true;
        }
        if (start == Start.NEW) {
            requireEmpty(directory, checkpoints);
        }
        if (resume) {
            checkpoints.requireOwn();
        }
        // Last of what may refuse: until here an earlier run in the directory is as it was.
        try (Objective objective = objectives.apply(config);
                RunFiles files = new RunFiles(directory, config.logging(), objective::skipped)) {
            objective.notes().forEach(listener::note);
            if (!resume) {
                checkpoints.clear();
                AtomicFiles.deleteDirectory(model);
            }
            AtomicFiles.write(directory.resolve("config.yaml"), yaml.getBytes(StandardCharsets.UTF_8));
            boolean[] trained = {false};
            TrainingListener all = TrainingListener.all(List.of(files, listener, new TrainingListener() {
                @Override
                public void begin(int firstStep, int steps) {
                    trained[0] = firstStep > 0;
                }

                @Override
                public void step(Step step) {
                    trained[0] |= !Double.isNaN(step.loss());
                }
            }));
            boolean complete = new Trainer(config, objective, checkpoints, all, stopRequested).run(resume);
            if (complete) {
                if (!trained[0]) {
                    throw new DataException(
                            "no sample could be used, so nothing was trained; " + firstReason(objective.skipped()));
                }
                Engine.scope("saving the model", () -> {
                    objective.save(model);
                    return null;
                });
                checkpoints.clear();
            }
            return complete;
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
    }

    private static void requireSame(Path directory, String yaml) {
        Path file = directory.resolve("config.yaml");
        try {
            if (Files.exists(file) && !Fingerprint.of(Files.readString(file)).equals(Fingerprint.of(yaml))) {
                long steps;
                try (Stream<String> lines = Files.lines(directory.resolve("metrics.jsonl"))) {
                    steps = lines.count();
                }
                throw new ConfigException(
                        "the run in %s is finished already with %d steps; other settings need another output"
                                .formatted(directory, steps));
            }
        } catch (IOException e) {
            throw new ConfigException("%s cannot be read; check permissions".formatted(file), e);
        }
    }

    private static String firstReason(List<SkippedRecord> skipped) {
        return skipped.isEmpty()
                ? "give it data"
                : "the first reason: " + skipped.getFirst().message();
    }

    /**
     * Builds everything and computes one micro-batch without training; returns a line about the run.
     *
     * @param notes receives sentences for the user
     */
    public static <C extends Record & RunConfig> String dryRun(
            C config, Function<? super C, Objective> objectives, Consumer<String> notes) {
        try (Objective objective = objectives.apply(config)) {
            objective.notes().forEach(notes);
            int steps = new Trainer(config, objective, Checkpoints.NONE, step -> {}, () -> false).steps();
            return Engine.scope("the first micro-batch", () -> {
                Supplier<Objective.Loss> loss =
                        objective.microBatch(0, 0, config.batch().accumulation());
                return String.format(
                        Locale.ROOT,
                        "%d steps of %d samples; %,d trainable parameters; loss of the first micro-batch %.4f",
                        steps,
                        config.samplesPerStep(),
                        objective.parameters().values().numel(),
                        loss == null ? Double.NaN : loss.get().loss().item_double());
            });
        }
    }
}
