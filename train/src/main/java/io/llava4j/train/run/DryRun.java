package io.llava4j.train.run;

import io.llava4j.DataException;
import io.llava4j.tensor.Engine;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** Tries a recipe without training. */
public final class DryRun {
    private DryRun() {}

    /**
     * Builds everything and computes one micro-batch without training; returns a line about the run.
     *
     * @param notes receives sentences for the user
     */
    public static <C extends Record & RunConfig> String run(
            C config, Function<? super C, Objective> objectives, Consumer<String> notes) {
        try (Objective objective = objectives.apply(config)) {
            objective.notes().forEach(notes);
            int steps = new Trainer(config, objective, Checkpoints.NONE, step -> {}, () -> false).steps();
            double loss = firstLoss(objective, config.batch().accumulation());
            HeldOut heldOut = objective.heldOut();
            if (heldOut != null) {
                notes.accept(String.format(
                        Locale.ROOT,
                        "held-out loss of the first batch %.4f",
                        heldOut.loss(1).value()));
            }
            return String.format(
                    Locale.ROOT,
                    "%d steps of %d samples; %,d trainable parameters; loss of the first micro-batch %.4f",
                    steps,
                    config.samplesPerStep() * objective.group().size(),
                    objective.parameters().values().numel(),
                    loss);
        }
    }

    /** Of the first micro-batch of an epoch that has samples. */
    private static double firstLoss(Objective objective, int accumulation) {
        for (int step = 0; step < objective.stepsPerEpoch(); step++) {
            for (int micro = 0; micro < accumulation; micro++) {
                Supplier<Objective.Loss> loss = objective.microBatch(step, micro, accumulation);
                if (loss != null) {
                    return Engine.scope(
                            "the first micro-batch", () -> loss.get().loss().item_double());
                }
            }
        }
        throw new DataException("no sample can be used; " + TrainingRun.firstReason(objective.skipped()));
    }
}
