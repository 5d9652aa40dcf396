package io.llava4j.train.run;

import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.run.feature.ImageFeatures;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Watches a run: progress, metrics files, plots. Called on the training thread. */
public interface TrainingListener {
    /**
     * One optimiser step.
     *
     * @param step from 1
     * @param steps of the whole run
     * @param loss mean of the micro-batches' losses, before the step; NaN if all its samples were left out, which moves
     *     nothing
     * @param learningRate used in the step
     * @param gradientNorm global norm before clipping
     * @param samples samples seen in the step
     * @param tokens positions that the network computed
     * @param supervisedTokens supervised tokens
     * @param truncation what samples lost to the longest sequence
     * @param bySource losses by the sources of the samples, by name; empty if none is named
     * @param images where the features of the images came from
     * @param operations floating-point operations of the network's passes, a mean over the processes; 0 if they are not known
     * @param peakTeraflops highest speed of a process's device in 10^12 operations a second, by the recipe; null if it names none
     * @param seconds the step took
     */
    record Step(
            int step,
            int steps,
            double loss,
            double learningRate,
            double gradientNorm,
            int samples,
            long tokens,
            long supervisedTokens,
            Truncation truncation,
            Map<String, SourceLoss> bySource,
            ImageFeatures images,
            double operations,
            @Nullable Double peakTeraflops,
            double seconds) {
        /** Speed of a process in 10^12 operations a second; 0 if it is not known. */
        public double teraflops() {
            return operations / seconds / 1e12;
        }

        /** Model FLOPs utilisation: {@link #teraflops} as a share of the peak; null if one of them is not known. */
        public @Nullable Double mfu() {
            return peakTeraflops == null || operations == 0 ? null : teraflops() / peakTeraflops;
        }
    }

    /**
     * One evaluation on held-out records and benchmarks.
     *
     * @param step optimiser steps done, from 0
     * @param loss on the records
     * @param scores of the recipe's benchmarks, by name
     * @param best whether no earlier evaluation after a step is better, by what the recipe goes by
     * @param answers to the first questions, if the recipe asks for some
     * @param seconds the evaluation took
     */
    record Evaluation(
            int step,
            HeldOut.Loss loss,
            Map<String, Double> scores,
            boolean best,
            List<HeldOut.Answer> answers,
            double seconds) {}

    /** Something that the user should know, as one sentence; before training begins or after it. */
    default void note(String sentence) {}

    /**
     * Training begins.
     *
     * @param firstStep steps already done: 0, or those of the checkpoint that was resumed
     * @param steps of the whole run
     */
    default void begin(int firstStep, int steps) {}

    /** The gradients of a step are complete, before clipping; what is read of them must be copied. */
    default void gradients(TrainableParameters parameters) {}

    /** Other processes left out records since the last step. */
    default void skippedElsewhere(List<SkippedRecord> records) {}

    /** A step was done. */
    void step(Step step);

    /** The model was evaluated on held-out records. */
    default void evaluation(Evaluation evaluation) {}

    /** The run ended: all steps done, or stopped with a checkpoint. */
    default void end(boolean complete) {}

    /** One listener that calls several in order. */
    static TrainingListener all(List<TrainingListener> listeners) {
        return new TrainingListener() {
            @Override
            public void note(String sentence) {
                listeners.forEach(listener -> listener.note(sentence));
            }

            @Override
            public void begin(int firstStep, int steps) {
                listeners.forEach(listener -> listener.begin(firstStep, steps));
            }

            @Override
            public void gradients(TrainableParameters parameters) {
                listeners.forEach(listener -> listener.gradients(parameters));
            }

            @Override
            public void skippedElsewhere(List<SkippedRecord> records) {
                listeners.forEach(listener -> listener.skippedElsewhere(records));
            }

            @Override
            public void step(Step step) {
                listeners.forEach(listener -> listener.step(step));
            }

            @Override
            public void evaluation(Evaluation evaluation) {
                listeners.forEach(listener -> listener.evaluation(evaluation));
            }

            @Override
            public void end(boolean complete) {
                listeners.forEach(listener -> listener.end(complete));
            }
        };
    }
}
