package io.llava4j.train.run;

import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.run.feature.ImageFeatures;
import io.llava4j.train.run.input.RunInputs;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** A training objective: the loss, the trainable parameters and the data. {@link Trainer} minimises any of them. */
public interface Objective extends AutoCloseable {
    /**
     * The loss of one micro-batch.
     *
     * @param loss mean over the micro-batch, a scalar with its graph
     * @param samples ids of the samples, for messages
     * @param tokens positions that the network computed
     * @param supervised supervised tokens
     * @param truncation what the samples lost to the longest sequence
     * @param bySource losses by the sources of the samples, read after the backward pass; empty if no sample names one
     * @param images where the features of the images came from
     * @param operations floating-point operations of the network's passes, as {@link Operations} counts them; 0 if they are
     *     not known
     * @param remainingBackward backward pass through blocks with graphs of their own, where the loss's own ends; does nothing
     *     where all is one graph
     */
    record Loss(
            Tensor loss,
            List<String> samples,
            long tokens,
            long supervised,
            Truncation truncation,
            Supplier<Map<String, SourceLoss>> bySource,
            ImageFeatures images,
            double operations,
            Runnable remainingBackward) {
        /** A loss with one graph, of samples that were not truncated. */
        public Loss(Tensor loss, List<String> samples, long tokens, long supervised) {
            this(loss, samples, tokens, supervised, Truncation.NONE, Map::of, ImageFeatures.NONE, 0, () -> {});
        }

        /** Its part of a step's loss, which is the mean of the micro-batches' means (docs/reference/training.md#loss). */
        Tensor share(int parts) {
            return loss.div(Tensors.scalar(parts));
        }

        /** Adds the gradients of its {@link #share}. */
        void backward(int parts) {
            share(parts).backward();
            remainingBackward.run();
        }
    }

    /** Optimiser steps of one pass over the data; the last may be smaller. */
    int stepsPerEpoch();

    /** The trainable parameters. */
    TrainableParameters parameters();

    /**
     * Draws the samples of one micro-batch of this process. The same step and index give the same samples in every run of the recipe;
     * steps come in order, but the first may be any.
     *
     * @param step optimiser step, from 0
     * @param micro index within the step, from 0
     * @param of micro-batches of a full step of this process
     * @return computes the loss, on any thread; null where the epoch's last step has no such micro-batch, or all of its samples were left out
     */
    @Nullable
    Supplier<Loss> microBatch(int step, int micro, int of);

    /** The processes that train together; a group of one where there are no others. */
    default ProcessGroup group() {
        return ProcessGroup.alone();
    }

    /** Records that were left out so far by this process. */
    default List<SkippedRecord> skipped() {
        return List.of();
    }

    /**
     * Takes note of what other processes left out since the step before.
     *
     * @throws io.llava4j.DataException if too many records are left out by all together
     */
    default void skippedElsewhere(List<SkippedRecord> records) {}

    /** Held-out records; null if the recipe names none. */
    default @Nullable HeldOut heldOut() {
        return null;
    }

    /** Fingerprints of what is read besides the recipe; called before the first step. */
    default RunInputs inputs() {
        return RunInputs.NONE;
    }

    /** The data sets of the run; empty if it has only one. */
    default List<LlavaData.Part> dataSets() {
        return List.of();
    }

    /** Sentences for the user before the first step: what is left out, and what starts from random weights. */
    default List<String> notes() {
        return List.of();
    }

    /**
     * Writes the trained model as a directory.
     *
     * @param directory must not exist; complete or absent afterwards
     */
    void save(Path directory);

    @Override
    void close();
}
