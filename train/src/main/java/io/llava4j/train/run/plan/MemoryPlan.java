package io.llava4j.train.run.plan;

import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.run.shard.Sharding;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Memory of one process of a run on its device, in bytes.
 *
 * @param weights of the network as it reads them
 * @param master 32-bit copy of the trained parameters; 0 where the network reads these themselves
 * @param gradients their sum over micro-batches, in 32-bit floats
 * @param moments both of AdamW, in 32-bit floats
 * @param activations of one micro-batch at the worst moment
 * @param buffers of exchanges and of the optimiser, where they exceed what is free when they are used
 * @param checkpointCopy in the host's memory while a checkpoint is written; not part of the total
 * @param loading most that the process takes until the first step; not part of the total
 * @param evaluation all weights, which rank 0 holds while it answers questions of held-out records or benchmarks, if processes
 *     share them; not part of the total
 */
public record MemoryPlan(
        long weights,
        long master,
        long gradients,
        long moments,
        long activations,
        long buffers,
        long checkpointCopy,
        long loading,
        long evaluation) {
    private static final int FLOAT = Float.BYTES;

    /** Plans a run. */
    public static MemoryPlan of(PlannedRun run) {
        ParameterCounts counts = ParameterCounts.of(run);
        long world = run.worldSize();
        Sharding sharding = world == 1 ? Sharding.NONE : run.sharding();
        boolean narrow = run.precision() == ComputePrecision.BF16;
        long trained = counts.trained();
        long floats = trained * FLOAT;
        long share = sharding == Sharding.NONE ? floats : floats / world;
        long all = counts.frozenBytes() + trained * run.precision().bytes();
        long weights = sharding == Sharding.FULL ? all / world : all;
        // Without 16-bit weights, what a process moves is what the network reads, unless only a share of it is moved.
        boolean moved = sharding == Sharding.OPTIMIZER || sharding == Sharding.GRADIENTS;
        long master = narrow || moved ? share : 0;
        // Processes that share the optimiser alone have all gradients of their own, and their share of the sum.
        long gradients = sharding == Sharding.OPTIMIZER ? floats + share : share;
        long moments = 2 * share;
        // Micro-batches that are computed at once each have gradients of their own, which are complete when no
        // activations
        // are left.
        long own = run.parallel() > 1 ? trained * run.precision().bytes() : 0;
        long activations =
                run.parallel() * Math.max(own, Activations.of(run, counts).peak());
        long slots = run.parallel() > 1 ? run.parallel() * floats : 0;
        long exchanged = exchanged(counts, sharding, world, activations);
        // The optimiser needs one more buffer, but only when all activations and exchanges are gone.
        long optimizer = Math.max(0, share - activations - exchanged);
        long loading = sharding == Sharding.NONE
                ? counts.frozenBytes()
                        + 3 * floats
                        + (narrow ? trained * run.precision().bytes() : 0)
                : weights + master + gradients + 2 * FLOAT * counts.largest();
        // Each process writes as many values and moments as any other.
        return new MemoryPlan(
                weights,
                master,
                gradients,
                moments,
                activations,
                slots + exchanged + optimizer,
                3 * floats / world,
                loading,
                sharding == Sharding.FULL ? all : 0);
    }

    /**
     * Gathered weights of a part of the network and of the next; gradients of a part and of the one before, until they are
     * shared out; the terms of their sums. The inputs' own come when the activations have not come yet, or have gone.
     */
    private static long exchanged(ParameterCounts counts, Sharding sharding, long world, long activations) {
        if (world == 1) {
            return 0;
        }
        ParameterCounts.Part block = counts.block();
        long gathered = sharding != Sharding.FULL
                ? 0
                : block.bytes()
                        + Math.max(
                                Math.max(block.bytes(), counts.head().bytes()),
                                counts.inputs().bytes() - activations);
        long reduced = sharding.compareTo(Sharding.GRADIENTS) < 0
                ? 0
                : FLOAT
                        * (block.trained()
                                + Math.max(
                                        Math.max(block.trained(), counts.head().trained()),
                                        counts.inputs().trained() - activations / FLOAT));
        long largest = FLOAT * Math.max(block.trained(), counts.head().trained());
        return gathered + reduced + Math.min(ProcessGroup.EXCHANGED_BYTES, largest);
    }

    /** Everything on the device together. */
    public long total() {
        return weights + master + gradients + moments + activations + buffers;
    }

    /** What rank 0 holds while it answers questions, if it gathers all weights for that; otherwise 0. */
    public long answering() {
        return evaluation == 0 ? 0 : evaluation + weights + master + gradients + moments;
    }

    /** The parts by name, in the order of a table. */
    public Map<String, Long> parts() {
        Map<String, Long> parts = new LinkedHashMap<>();
        parts.put("weights", weights);
        parts.put("master copy", master);
        parts.put("gradients", gradients);
        parts.put("moments", moments);
        parts.put("activations", activations);
        parts.put("buffers", buffers);
        parts.put("total", total());
        return parts;
    }
}
