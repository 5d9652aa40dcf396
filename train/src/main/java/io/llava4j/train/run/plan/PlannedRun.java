package io.llava4j.train.run.plan;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.train.run.LoraSettings;
import io.llava4j.train.run.Operations;
import io.llava4j.train.run.TrainableParts;
import io.llava4j.train.run.shard.Sharding;
import org.jspecify.annotations.Nullable;

/**
 * What decides the memory and the time of a run.
 *
 * @param model its shape
 * @param trainable its trained parts
 * @param lora adapters; null for none
 * @param precision of weights and activations
 * @param sharding what processes share
 * @param worldSize number of processes
 * @param batch of one micro-batch in one process
 * @param accumulation micro-batches of a step
 * @param parallel micro-batches that a process computes at once
 * @param checkpointing whether the backward pass computes blocks again
 */
public record PlannedRun(
        LlavaConfig model,
        TrainableParts trainable,
        @Nullable LoraSettings lora,
        ComputePrecision precision,
        Sharding sharding,
        int worldSize,
        Batch batch,
        int accumulation,
        int parallel,
        boolean checkpointing) {
    /**
     * Sizes of a micro-batch.
     *
     * @param sequences samples
     * @param tokens positions of each, image tokens and padding included
     * @param supervised positions of each that have a label
     * @param images of all
     */
    public record Batch(int sequences, int tokens, int supervised, int images) {
        /** Positions of all sequences. */
        long positions() {
            return (long) sequences * tokens;
        }
    }

    /** The same run with or without gradient checkpointing. */
    public PlannedRun withCheckpointing(boolean on) {
        return new PlannedRun(
                model, trainable, lora, precision, sharding, worldSize, batch, accumulation, parallel, on);
    }

    /** Floating-point operations of an optimiser step of one process. */
    public double operationsOfStep() {
        Operations each = Operations.of(model, trainable.languageModel(), checkpointing);
        return accumulation
                * (batch.sequences() * each.ofSequence(batch.tokens(), batch.supervised())
                        + batch.images() * model.viewsPerImage() * each.perView());
    }

    boolean isTrained(String tensor) {
        return trainable.includes(tensor, lora == null ? null : lora.toConfig());
    }
}
