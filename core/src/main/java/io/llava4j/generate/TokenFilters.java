package io.llava4j.generate;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Top-k and top-p. Only tokens that may stand at the border are put in order, not the vocabulary. */
final class TokenFilters {
    /** Above the rounding of a sum of a million probabilities. */
    private static final double ROUNDING = 1e-9;

    private TokenFilters() {}

    /** Removes scores below the k-th highest; ties with it stay. */
    static void keepTop(float[] scores, int k) {
        float least = highest(scores, k);
        for (int id = 0; id < scores.length; id++) {
            if (scores[id] < least) {
                scores[id] = Float.NEGATIVE_INFINITY;
            }
        }
    }

    /** The k-th highest score. The highest so far are at the start of a buffer, which is sorted whenever it is full. */
    private static float highest(float[] scores, int k) {
        float[] best = new float[Math.min(2 * k, scores.length)];
        int count = 0;
        float least = Float.NEGATIVE_INFINITY;
        for (float score : scores) {
            if (score > least) {
                best[count++] = score;
            }
            if (count == best.length) {
                Arrays.sort(best);
                System.arraycopy(best, count - k, best, 0, k);
                least = best[0];
                count = k;
            }
        }
        Arrays.sort(best, 0, count);
        return count < k ? Float.NEGATIVE_INFINITY : best[count - k];
    }

    /** Removes the lowest scores while their probabilities sum to at most {@code 1 - topP}; the highest always stays. */
    static void keepNucleus(float[] scores, double topP) {
        double[] probabilities = Sampler.softmax(scores);
        double removed = 1 - topP;
        // All that are less likely than this together are less likely than half of what is removed.
        double unlikely = removed / (2 * scores.length);
        double sum = 0;
        for (double probability : probabilities) {
            sum += probability < unlikely ? probability : 0;
        }
        int[] likely = ascending(scores, ids(scores).filter(id -> probabilities[id] >= unlikely));
        int border = border(probabilities, likely, sum, removed, ROUNDING * removed);
        if (border < 0) {
            int[] all = ascending(scores, ids(scores));
            remove(scores, Arrays.copyOf(all, border(probabilities, all, 0, removed, -1)));
            return;
        }
        remove(scores, ids(scores).filter(id -> probabilities[id] < unlikely).toArray());
        remove(scores, Arrays.copyOf(likely, border));
    }

    private static IntStream ids(float[] scores) {
        return IntStream.range(0, scores.length);
    }

    private static void remove(float[] scores, int[] ids) {
        for (int id : ids) {
            scores[id] = Float.NEGATIVE_INFINITY;
        }
    }

    /**
     * How many of the lowest are removed.
     *
     * @param sum of those before the first
     * @param error that the sum may have
     * @return -1 if an error as large as that could decide
     */
    private static int border(double[] probabilities, int[] ascending, double sum, double removed, double error) {
        for (int i = 0; i < ascending.length - 1; i++) {
            sum += probabilities[ascending[i]];
            if (Math.abs(sum - removed) <= error) {
                return -1;
            }
            if (sum > removed) {
                return i;
            }
        }
        return ascending.length - 1;
    }

    /** Ids by score, lowest first; equal scores by id. */
    private static int[] ascending(float[] scores, IntStream ids) {
        long[] keys = ids.mapToLong(id -> key(scores[id], id)).toArray();
        Arrays.sort(keys);
        return Arrays.stream(keys).mapToInt(key -> (int) key).toArray();
    }

    private static long key(float score, int id) {
        int bits = Float.floatToIntBits(score + 0f);
        // Flips the bits of negative numbers, whose order as integers runs the other way.
        return (long) (bits ^ (bits >> 31 & Integer.MAX_VALUE)) << 32 | id;
    }
}
