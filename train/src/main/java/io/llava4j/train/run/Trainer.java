package io.llava4j.train.run;

import io.llava4j.LlavaException;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.run.feature.ImageFeatures;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

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
    private final ProcessGroup group;
    private int skippedBefore;
    private RunProgress progress = RunProgress.START;
    /** Whether parameters and moments are between two steps' values. */
    private boolean moving;

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
        this.group = objective.group();
        this.checkpoints = checkpoints;
        this.listener = listener;
        this.stopRequested = stopRequested;
    }

    /** Optimiser steps of the whole run. */
    public int steps() {
        return config.schedule().steps(objective.stepsPerEpoch());
    }

    /** How far the run is. */
    public RunProgress progress() {
        return progress;
    }

    /** {@link #run(boolean, Runnable)} without anything to be done at the end. */
    public boolean run(boolean resume) {
        return run(resume, () -> {});
    }

    /**
     * Trains to the end, or until a stop is requested. At any error the steps done are saved, if the error did not come
     * while the parameters were moved.
     *
     * @param resume continue from the newest checkpoint if there is one
     * @param whenComplete called after the last step, for example to save the model
     * @return whether all steps were done
     * @throws LlavaException if the loss or the gradients become NaN or infinite; the message names the samples
     */
    public boolean run(boolean resume, Runnable whenComplete) {
        int steps = steps();
        try (AdamW optimizer =
                        Engine.scope("setting up AdamW", () -> new AdamW(objective.parameters(), config.optimizer()));
                MicroBatches microBatches = new MicroBatches(objective, config.batch(), config.engineThreads())) {
            progress = resume ? checkpoints.restoreLatest(objective.parameters(), optimizer) : RunProgress.START;
            listener.begin(progress.step(), steps);
            skippedBefore = objective.skipped().size();
            try {
                boolean complete = trainTo(steps, optimizer, microBatches);
                listener.end(complete);
                if (complete) {
                    whenComplete.run();
                }
                return complete;
            } catch (RuntimeException | Error e) {
                keepStepsDone(optimizer, e);
                throw e;
            }
        }
    }

    private boolean trainTo(int steps, AdamW optimizer, MicroBatches microBatches) {
        LearningRate schedule = new LearningRate(config.schedule(), steps);
        evaluateIfDue(steps);
        while (progress.step() < steps && !endsEarly()) {
            int step = progress.step();
            double rate = schedule.at(step, config.optimizer().learningRate());
            listener.step(Engine.scope("step " + (step + 1), () -> step(step, steps, rate, optimizer, microBatches)));
            checkpoints.complete(false);
            evaluateIfDue(steps);
            boolean ends = step + 1 == steps || endsEarly();
            boolean stop = group.any(stopRequested.getAsBoolean()) && !ends;
            int every = config.checkpoint().everySteps();
            if (stop || (every > 0 && (step + 1) % every == 0 && !ends)) {
                checkpoints.save(progress, objective.parameters(), optimizer);
            }
            if (stop) {
                checkpoints.complete(true);
                return false;
            }
        }
        checkpoints.complete(true);
        return true;
    }

    private boolean endsEarly() {
        HeldOut heldOut = objective.heldOut();
        return heldOut != null && heldOut.config().ends(progress.evaluations());
    }

    /** Held-out loss and scores, unless this step has them already. */
    private void evaluateIfDue(int steps) {
        HeldOut heldOut = objective.heldOut();
        int step = progress.step();
        if (heldOut == null
                || progress.evaluations().last() == step
                || (step % heldOut.config().everySteps() != 0 && step != steps)) {
            return;
        }
        evaluate(heldOut, step);
    }

    private void evaluate(HeldOut heldOut, int step) {
        long start = System.nanoTime();
        HeldOut.Loss loss = heldOut.loss(Integer.MAX_VALUE);
        Map<String, Double> scores = heldOut.scores();
        List<HeldOut.Answer> answers = heldOut.answers();
        RunProgress.Evaluations done = progress.evaluations()
                .after(
                        step,
                        heldOut.config().badness(loss, scores),
                        heldOut.config().minDelta());
        boolean best = step > 0 && done.bestStep() == step;
        if (best && heldOut.config().keepBest()) {
            objective.parameters().readOnFirst(() -> checkpoints.saveBest(step, objective));
        }
        progress = progress.with(done);
        listener.evaluation(
                new TrainingListener.Evaluation(step, loss, scores, best, answers, (System.nanoTime() - start) / 1e9));
    }

    /** Saves the state after the last whole step; that this fails as well must not hide the error. */
    private void keepStepsDone(AdamW optimizer, Throwable error) {
        if (moving || progress.step() == 0) {
            return;
        }
        if (group.size() > 1 && !(error instanceof DivergedException)) {
            return; // only this process knows; the others wait for it elsewhere
        }
        try {
            boolean sound = Engine.scope(
                    "checking the training state",
                    () -> Stream.of(objective.parameters().values(), optimizer.firstMoment(), optimizer.secondMoment())
                            .allMatch(buffer -> Double.isFinite(buffer.norm().item_double())));
            if (!group.any(!sound)) {
                if (error instanceof DivergedException) {
                    checkpoints.saveBeside(progress, objective.parameters(), optimizer);
                } else {
                    checkpoints.save(progress, objective.parameters(), optimizer);
                    checkpoints.complete(true);
                }
                listener.note("the run ends with an error; its first %d steps are saved, continue with --resume"
                        .formatted(progress.step()));
            }
        } catch (RuntimeException | Error e) {
            error.addSuppressed(e);
        }
    }

    private TrainingListener.Step step(int step, int steps, double rate, AdamW optimizer, MicroBatches microBatches) {
        long start = System.nanoTime();
        TrainableParameters parameters = objective.parameters();
        parameters.zeroGradients();
        List<MicroBatches.Result> own = microBatches.run(step);
        parameters.reduceGradients();
        List<SkippedRecord> skipped = objective.skipped();
        StepResults results = StepResults.gather(group, own, skipped.subList(skippedBefore, skipped.size()));
        skippedBefore = skipped.size();
        listener.skippedElsewhere(results.skippedElsewhere());
        objective.skippedElsewhere(results.skippedElsewhere());
        List<MicroBatches.Result> parts = results.parts();
        List<String> samples = new ArrayList<>();
        double loss = 0;
        long tokens = 0;
        long supervised = 0;
        ImageFeatures images = ImageFeatures.NONE;
        double operations = 0;
        Truncation truncation = Truncation.NONE;
        Map<String, SourceLoss> bySource = new TreeMap<>();
        for (MicroBatches.Result part : parts) {
            requireNumber("loss", part.loss(), step, part.samples());
            samples.addAll(part.samples());
            loss += part.loss();
            tokens += part.tokens();
            supervised += part.supervised();
            images = images.plus(part.images());
            operations += part.operations();
            truncation = truncation.plus(part.truncation());
            SourceLoss.add(part.bySource(), bySource);
        }
        if (parts.size() < microBatches.parts() && !parts.isEmpty()) {
            parameters.gradients().mul_(Tensors.scalar((double) microBatches.parts() / parts.size()));
        }
        listener.gradients(parameters);
        double norm = parameters.clipGradients(config.optimizer().maxGradNorm());
        requireNumber("gradient norm", norm, step, samples);
        moving = true;
        if (!parts.isEmpty()) {
            optimizer.step(rate);
        } else {
            // Without samples nothing moves; the step counts nevertheless, as it does for the schedule.
            optimizer.resumeAt(step + 1L);
        }
        progress = progress.after(samples.size(), truncation);
        moving = false;
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
                bySource,
                images,
                operations / group.size(),
                config.logging().peakTflops(),
                (System.nanoTime() - start) / 1e9);
    }

    private static void requireNumber(String what, double value, int step, List<String> samples) {
        if (!Double.isFinite(value)) {
            throw new DivergedException("the " + what + " became " + value + " at step " + (step + 1) + " on samples "
                    + String.join(", ", samples.subList(0, Math.min(16, samples.size())))
                    + "; the parameters were not moved. Lower optimizer.learning-rate or set optimizer.max-grad-norm,"
                    + " then continue from the last checkpoint with --resume --accept-changes");
        }
    }

    /** The loss or the gradients are no numbers; the newest state may be too late to continue from. */
    private static final class DivergedException extends LlavaException {
        private static final long serialVersionUID = 1;

        DivergedException(String message) {
            super(message);
        }
    }
}
