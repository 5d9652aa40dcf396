package io.llava4j.train.run;

import io.llava4j.tensor.Tensors;
import io.llava4j.train.data.SkippedRecord;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** What a run makes smaller: one per kind of training, all run by the same {@link Trainer}. */
public interface Objective extends AutoCloseable {
    /**
     * The loss of one micro-batch.
     *
     * @param loss mean over the micro-batch, a scalar with its graph
     * @param samples ids of what was seen, to name them when something goes wrong
     * @param tokens positions the decoder or tower worked on
     * @param supervised positions that were trained on
     * @param cut what the samples lost to the longest sequence
     * @param rest carries the gradient on where the loss's own backward ends; nothing to do without gradient
     *     checkpointing
     */
    record Loss(Tensor loss, List<String> samples, long tokens, long supervised, Truncation cut, Runnable rest) {
        /** A loss with one graph, of samples that are whole. */
        public Loss(Tensor loss, List<String> samples, long tokens, long supervised) {
            this(loss, samples, tokens, supervised, Truncation.NONE, () -> {});
        }

        /** What it adds to a step's loss: the mean of the micro-batches' means, as in the reference (docs/reference/training.md#loss). */
        Tensor share(int parts) {
            return loss.div(Tensors.scalar(parts));
        }

        /** Adds the gradients of its {@link #share}. */
        void backward(int parts) {
            share(parts).backward();
            rest.run();
        }
    }

    /** Optimiser steps of one pass over the data; the last may be smaller. */
    int stepsPerEpoch();

    /** What learns. */
    TrainableParameters parameters();

    /**
     * Draws the samples of one micro-batch. The same step and place give the same samples in every run of the recipe;
     * steps are asked for in order, beginning anywhere.
     *
     * @param step optimiser step, from 0
     * @param micro place within the step, from 0
     * @param of micro-batches of a full step
     * @return computes the loss, on any thread; null where the epoch's last step has no such micro-batch, or all of its samples were left out
     */
    @Nullable
    Supplier<Loss> microBatch(int step, int micro, int of);

    /** Records that were left out so far. */
    default List<SkippedRecord> skipped() {
        return List.of();
    }

    /**
     * Writes what was learnt as a model directory.
     *
     * @param directory must not exist; complete or absent afterwards
     */
    void save(Path directory);

    @Override
    void close();
}
