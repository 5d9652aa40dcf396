package io.llava4j.model.prune;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The image features that VisionZip leaves of an image (docs/reference/model.md#visionzip), without any training: those that
 * CLS attends to most as they are, all others merged into a few by the similarity of their keys.
 *
 * @param dominant positions that are kept as they are, ascending; the first is CLS, 0
 * @param merged what the other features are sums of, {@code [contextual, positions]}
 */
public record VisionZip(int[] dominant, float[][] merged) {
    /** The fewest features: CLS and one that all others are merged into. */
    public static final int MIN_TOKENS = 2;

    /**
     * Of {@code tokens} features as many are merged: the paper's shares, 10 of 64, 20 of 128 and 30 of 192.
     *
     * @param tokens at least {@link #MIN_TOKENS}
     */
    public static int contextual(int tokens) {
        return Math.max(1, tokens * 10 / 64);
    }

    /**
     * Chooses for an image.
     *
     * @param attention of CLS to each position, summed over the heads of the last block that runs: {@code [positions]}
     * @param keys of that block, as a mean over its heads: {@code [positions][head size]}
     * @param tokens features to leave, CLS included; from {@link #MIN_TOKENS} to the number of patches
     */
    public static VisionZip of(float[] attention, float[][] keys, int tokens) {
        int positions = attention.length;
        int contextual = contextual(tokens);
        int[] dominant = IntStream.concat(
                        IntStream.of(0),
                        IntStream.range(1, positions)
                                .boxed()
                                .sorted(Comparator.comparing((Integer position) -> -attention[position]))
                                .mapToInt(Integer::intValue)
                                .limit(tokens - contextual - 1L))
                .sorted()
                .toArray();
        int[] rest = IntStream.range(0, positions)
                .filter(position -> Arrays.binarySearch(dominant, position) < 0)
                .toArray();
        int step = Math.max(1, rest.length / contextual);
        float[][] merged = new float[contextual][positions];
        int[] targets = IntStream.range(0, contextual).map(i -> rest[i * step]).toArray();
        int[] nearest = new int[positions];
        int[] counts = new int[contextual];
        for (int position : rest) {
            if (Arrays.binarySearch(targets, position) < 0) {
                nearest[position] = nearest(keys, position, targets);
                counts[nearest[position]]++;
            }
        }
        for (int position : rest) {
            int target = Arrays.binarySearch(targets, position);
            if (target >= 0) {
                merged[target][position] = 1;
            } else {
                merged[nearest[position]][position] = 1f / counts[nearest[position]];
            }
        }
        return new VisionZip(dominant, merged);
    }

    /** Index of the target whose key has the greatest cosine similarity; the first of equal ones. */
    private static int nearest(float[][] keys, int position, int[] targets) {
        int best = 0;
        double greatest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < targets.length; i++) {
            // The position's own length divides all similarities alike.
            double similarity =
                    dot(keys[position], keys[targets[i]]) / Math.sqrt(dot(keys[targets[i]], keys[targets[i]]));
            if (similarity > greatest) {
                greatest = similarity;
                best = i;
            }
        }
        return best;
    }

    private static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    /** The merged features as one row after another, {@code [contextual * positions]}. */
    public float[] mergedRows() {
        int positions = merged[0].length;
        float[] rows = new float[merged.length * positions];
        for (int i = 0; i < merged.length; i++) {
            System.arraycopy(merged[i], 0, rows, i * positions, positions);
        }
        return rows;
    }
}
