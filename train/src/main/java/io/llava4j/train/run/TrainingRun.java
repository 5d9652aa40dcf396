package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.tensor.Engine;
import io.llava4j.train.config.ConfigFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/** One run of a recipe in its directory: settings, metrics, checkpoints and the model that comes out. */
public final class TrainingRun {
    /** Folder of the finished model within the run directory. */
    public static final String MODEL = "model";

    private TrainingRun() {}

    /**
     * Trains, and writes the model when all steps are done. A run that is complete already is left as it is when it is
     * resumed.
     *
     * @param config the recipe
     * @param objectives builds the training objective; called when nothing else can refuse the run any more
     * @param resume true continues from the newest checkpoint; false starts anew and refuses a directory with a finished
     *     model
     * @param listener receives every step
     * @param stopRequested true ends the run after the current step, with a checkpoint
     * @return whether the run is complete
     * @throws ConfigException if the directory holds a finished model, or checkpoints of another recipe
     */
    public static <C extends Record & RunConfig> boolean run(
            C config,
            Function<? super C, Objective> objectives,
            boolean resume,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        Path directory = config.output();
        Path model = directory.resolve(MODEL);
        String yaml = ConfigFile.toYaml(config);
        TrainState.Store checkpoints = new TrainState.Store(
                directory.resolve("checkpoints"), config.checkpoint().keepLast(), Fingerprint.of(yaml));
        if (Files.exists(model)) {
            if (resume) {
                return true;
            }
            throw new ConfigException("the run directory " + directory
                    + " already holds a finished model; choose another one with --set output=…, or delete it");
        }
        if (resume) {
            checkpoints.requireOwn();
        }
        // Last of what may refuse: until here an earlier run in the directory is as it was.
        try (Objective objective = objectives.apply(config);
                RunFiles files = new RunFiles(directory, config.logging(), objective::skipped)) {
            if (!resume) {
                checkpoints.clear();
            }
            AtomicFiles.write(directory.resolve("config.yaml"), yaml.getBytes(StandardCharsets.UTF_8));
            TrainingListener all = TrainingListener.all(List.of(files, listener));
            boolean complete = new Trainer(config, objective, checkpoints, all, stopRequested).run(resume);
            if (complete) {
                Engine.scope("saving the model", () -> {
                    objective.save(model);
                    return null;
                });
                checkpoints.clear();
            }
            return complete;
        }
    }

    /** Builds everything and computes one micro-batch without training; returns a line about the run. */
    public static <C extends Record & RunConfig> String dryRun(C config, Function<? super C, Objective> objectives) {
        try (Objective objective = objectives.apply(config)) {
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
