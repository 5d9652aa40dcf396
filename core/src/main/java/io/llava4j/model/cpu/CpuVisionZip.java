package io.llava4j.model.cpu;

import io.llava4j.model.config.VisionConfig;
import io.llava4j.model.prune.VisionZip;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.RowMath;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Leaves some of the features of an image (docs/reference/model.md#visionzip), on the CPU kernels.
 *
 * @param block the last one that runs
 * @param tokens features to leave
 */
record CpuVisionZip(VisionConfig config, CpuClipBlock block, int tokens, Kernels kernels, Workers workers) {
    /**
     * The features that are left.
     *
     * @param input what the block reads, {@code [positions, hidden]}
     * @param states what it gives
     * @return {@code [tokens, hidden]}
     */
    MemorySegment keep(MemorySegment input, MemorySegment states) {
        VisionZip zip = zip(input);
        int hidden = config.hiddenSize();
        long row = (long) hidden * Float.BYTES;
        MemorySegment kept = Arena.ofAuto().allocate(tokens * row, 64);
        int[] dominant = zip.dominant();
        for (int i = 0; i < dominant.length; i++) {
            MemorySegment.copy(states, dominant[i] * row, kept, i * row, row);
        }
        workers.run(zip.merged().length, (i, worker) -> {
            float[] factors = zip.merged()[i];
            float[] sum = new float[hidden];
            for (int position = 0; position < factors.length; position++) {
                if (factors[position] != 0) {
                    float[] x = CpuPass.get(states, position, hidden);
                    for (int at = 0; at < hidden; at++) {
                        sum[at] += factors[position] * x[at];
                    }
                }
            }
            CpuPass.put(sum, kept, dominant.length + i);
        });
        return kept;
    }

    private VisionZip zip(MemorySegment input) {
        int hidden = config.hiddenSize();
        int positions = config.positions();
        int heads = config.heads();
        int d = hidden / heads;
        try (WorkMemory memory = new WorkMemory()) {
            CpuLinear.Place place = new CpuLinear.Place(kernels, workers, memory);
            MemorySegment normed = place.rows(positions, hidden);
            workers.run(positions, (row, worker) -> {
                float[] y = new float[hidden];
                RowMath.layerNorm(
                        CpuPass.get(input, row, hidden),
                        block.norm1().weight(),
                        block.norm1().bias(),
                        config.layerNormEps(),
                        y);
                CpuPass.put(y, normed, row);
            });
            MemorySegment keys = block.key().apply(normed, positions, false, place);
            float[] query = CpuPass.get(block.query().apply(normed, 1, false, place), 0, hidden);
            float[][] means = new float[positions][d];
            double[][] scores = new double[heads][positions];
            workers.run(positions, (position, worker) -> {
                float[] key = CpuPass.get(keys, position, hidden);
                for (int i = 0; i < hidden; i++) {
                    means[position][i % d] += key[i] / heads;
                    scores[i / d][position] += (double) query[i] * key[i];
                }
            });
            return VisionZip.of(attention(scores, Math.sqrt(d)), means, tokens);
        }
    }

    /** Softmax of each head's scores, summed over the heads. */
    private static float[] attention(double[][] scores, double scale) {
        double[] sums = new double[scores[0].length];
        for (double[] head : scores) {
            double largest = Double.NEGATIVE_INFINITY;
            for (double score : head) {
                largest = Math.max(largest, score / scale);
            }
            double sum = 0;
            for (int i = 0; i < head.length; i++) {
                head[i] = Math.exp(head[i] / scale - largest);
                sum += head[i];
            }
            for (int i = 0; i < head.length; i++) {
                sums[i] += head[i] / sum;
            }
        }
        float[] attention = new float[sums.length];
        for (int i = 0; i < sums.length; i++) {
            attention[i] = (float) sums[i];
        }
        return attention;
    }
}
