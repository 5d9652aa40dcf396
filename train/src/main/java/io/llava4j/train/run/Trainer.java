package io.llava4j.train.run;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Runs a recipe: micro-batches, accumulation, clipping, AdamW, checkpoints. Everything a step depends on is a function
 * of the recipe, the step number and the parameters with their moments, so that a resumed run repeats an unbroken one
 * bit for bit on the same machine.
 */
public final class Trainer {
    private final RunConfig config;
    private final Objective objective;
    private final Checkpoints checkpoints;
    private final TrainingListener listener;
    private final BooleanSupplier stopRequested;

    /**
     * A run of a recipe.
     *
     * @param config optimiser, schedule, batch size, checkpoints and threads
     * @param objective what is trained
     * @param checkpoints where states are saved
     * @param listener receives every step
     * @param stopRequested called after every step; true ends the run with a checkpoint
     */
    public Trainer(
            RunConfig config,
            Objective objective,
            Checkpoints checkpoints,
            TrainingListener listener,
            BooleanSupplier stopRequested) {
        this.config = config;
        this.objective = objective;
        this.checkpoints = checkpoints;
        this.listener = listener;
        this.stopRequested = stopRequested;
    }

    /** Optimiser steps of the whole run. */
    public int steps() {
        return config.schedule().steps(objective.stepsPerEpoch());
    }

    /**
     * Trains to the end, or until a stop is requested.
     *
     * @param resume continue from the newest checkpoint if there is one
     * @return whether all steps were done
     * @throws LlavaException if the loss or the gradients become NaN or infinite; the message names the samples
     */
    public boolean run(boolean resume) {
        int steps = steps();
        LearningRate schedule = new LearningRate(config.schedule(), steps);
        boolean complete = true;
        try (AdamW optimizer =
                        Engine.scope("setting up AdamW", () -> new AdamW(objective.parameters(), config.optimizer()));
                MicroBatches microBatches = new MicroBatches(objective, config.batch(), config.engineThreads())) {
            int first = resume ? checkpoints.restoreLatest(objective.parameters(), optimizer) : 0;
            listener.begin(first, steps);
            for (int step = first; step < steps; step++) {
                double rate = schedule.at(step, config.optimizer().learningRate());
                listener.step(stepOrSave(step, steps, rate, optimizer, microBatches));
                boolean stop = stopRequested.getAsBoolean() && step + 1 < steps;
                int every = config.checkpoint().everySteps();
                if (stop || (every > 0 && (step + 1) % every == 0 && step + 1 < steps)) {
                    checkpoints.save(step + 1, objective.parameters(), optimizer);
                }
                if (stop) {
                    complete = false;
                    break;
                }
            }
        }
        listener.end(complete);
        return complete;
    }

    /** A step; if its samples cannot be loaded, the state before it is saved, as when a stop is requested. */
    private TrainingListener.Step stepOrSave(
            int step, int steps, double rate, AdamW optimizer, MicroBatches microBatches) {
        try {
            return Engine.scope("step " + (step + 1), () -> step(step, steps, rate, optimizer, microBatches));
        } catch (DataException e) {
            if (step > 0) {
                checkpoints.save(step, objective.parameters(), optimizer);
            }
            throw e;
        }
    }

    private TrainingListener.Step step(int step, int steps, double rate, AdamW optimizer, MicroBatches microBatches) {
        long start = System.nanoTime();
        TrainableParameters parameters = objective.parameters();
        parameters.zeroGradients();
        List<MicroBatches.Result> parts = microBatches.run(step);
        List<String> samples = new ArrayList<>();
        double loss = 0;
        long tokens = 0;
        long supervised = 0;
        Truncation truncation = Truncation.NONE;
        for (MicroBatches.Result part : parts) {
            requireNumber("loss", part.loss(), step, part.samples());
            samples.addAll(part.samples());
            loss += part.loss();
            tokens += part.tokens();
            supervised += part.supervised();
            truncation = truncation.plus(part.truncation());
        }
        int accumulation = config.batch().accumulation();
        if (parts.size() < accumulation && !parts.isEmpty()) {
            parameters.gradients().mul_(Tensors.scalar((double) accumulation / parts.size()));
        }
        listener.gradients(parameters);
        double norm = parameters.clipGradients(config.optimizer().maxGradNorm());
        requireNumber("gradient norm", norm, step, samples);
        if (!parts.isEmpty()) {
            optimizer.step(rate);
        } else {
            // Without samples nothing moves; the step counts nevertheless, as it does for the schedule.
            optimizer.resumeAt(step + 1L);
        }
        return new TrainingListener.Step(
                step + 1,
                steps,
                loss / parts.size(),
                rate,
                norm,
                samples.size(),
                tokens,
                supervised,
                truncation,
                (System.nanoTime() - start) / 1e9);
    }

    private static void requireNumber(String what, double value, int step, List<String> samples) {
        if (!Double.isFinite(value)) {
            throw new LlavaException("the " + what + " became " + value + " at step " + (step + 1) + " on samples "
                    + String.join(", ", samples.subList(0, Math.min(16, samples.size())))
                    + "; the parameters were not moved. Lower optimizer.learning-rate or set optimizer.max-grad-norm,"
                    + " then resume from the last checkpoint");
        }
    }
}
