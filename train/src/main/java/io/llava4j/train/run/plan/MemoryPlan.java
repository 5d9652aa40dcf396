package io.llava4j.train.run.plan;

import io.llava4j.tensor.ComputePrecision;
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
 */
public record MemoryPlan(
        long weights, long master, long gradients, long moments, long activations, long buffers, long checkpointCopy) {
    private static final int FLOAT = Float.BYTES;

    /** Plans a run. */
    public static MemoryPlan of(PlannedRun run) {
        ParameterCounts counts = ParameterCounts.of(run);
        long world = run.worldSize();
        Sharding sharding = run.sharding();
        boolean narrow = run.precision() == ComputePrecision.BF16;
        long trained = counts.trained();
        long weightShare = sharding == Sharding.FULL ? world : 1;
        long gradientShare = sharding.compareTo(Sharding.GRADIENTS) >= 0 ? world : 1;
        long optimizerShare = sharding.compareTo(Sharding.OPTIMIZER) >= 0 ? world : 1;
        long weights = (counts.frozenBytes() + trained * run.precision().bytes()) / weightShare;
        long master = narrow ? trained * FLOAT / optimizerShare : 0;
        long gradients = trained * FLOAT / gradientShare;
        long moments = 2 * trained * FLOAT / optimizerShare;
        // Micro-batches that are computed at once each have gradients of their own, which are complete when no
        // activations
        // are left.
        long own = run.parallel() > 1 ? trained * run.precision().bytes() : 0;
        long activations =
                run.parallel() * Math.max(own, Activations.of(run, counts).peak());
        long slots = run.parallel() > 1 ? run.parallel() * trained * FLOAT : 0;
        // Gathered weights of a block and of the next; gradients of a block before they are shared out.
        long gathered = weightShare > 1 ? 2 * counts.blockBytes() : 0;
        long reduced =
                gradientShare > 1 ? 2 * counts.blockBytes() / run.precision().bytes() * FLOAT : 0;
        // The optimiser needs one more buffer, but only when all activations are gone.
        long optimizer = Math.max(0, trained * FLOAT / optimizerShare - activations);
        // Each process writes as many values and moments as any other.
        return new MemoryPlan(
                weights,
                master,
                gradients,
                moments,
                activations,
                slots + gathered + reduced + optimizer,
                3 * trained * FLOAT / world);
    }

    /** Everything on the device together. */
    public long total() {
        return weights + master + gradients + moments + activations + buffers;
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
