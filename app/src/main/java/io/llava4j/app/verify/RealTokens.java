package io.llava4j.app.verify;

import io.llava4j.checkpoint.layout.TensorEntry;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Columns of the real tokens of recorded sequences, padded on either side; computed sequences are padded on the right.
 *
 * @param columns recorded columns of each sequence's real tokens
 * @param width columns of a recorded sequence
 */
record RealTokens(List<int[]> columns, int width) {
    /** Compares one real token. */
    interface Visitor {
        /**
         * @param actual index of the token in a computed {@code [batch, longest]}
         * @param wanted index of the token in a recorded {@code [batch, width]}
         */
        double deviation(int actual, int wanted);
    }

    /**
     * Reads a mask.
     *
     * @param mask {@code [batch, width]}, 1 for a real token; without a mask of this shape all tokens are real
     */
    static RealTokens of(@Nullable TensorEntry mask, int batch, int width) {
        boolean fits = mask != null && Arrays.equals(mask.shape(), new long[] {batch, width});
        long[] flags = fits && mask != null ? mask.toLongs() : new long[0];
        List<int[]> columns = IntStream.range(0, batch)
                .mapToObj(row -> IntStream.range(0, width)
                        .filter(column -> !fits || flags[row * width + column] != 0)
                        .toArray())
                .toList();
        return new RealTokens(columns, width);
    }

    /** Real tokens of each sequence. */
    int[] lengths() {
        return columns.stream().mapToInt(row -> row.length).toArray();
    }

    /** The real tokens' entries of a recorded {@code [batch, width]}, sequence by sequence. */
    List<int[]> pick(long[] table) {
        return IntStream.range(0, columns.size())
                .mapToObj(row -> Arrays.stream(columns.get(row))
                        .map(column -> Math.toIntExact(table[row * width + column]))
                        .toArray())
                .toList();
    }

    /** Largest deviation at any real token. */
    double worst(Visitor visitor) {
        int longest = Arrays.stream(lengths()).max().orElse(0);
        double worst = 0;
        for (int row = 0; row < columns.size(); row++) {
            int[] own = columns.get(row);
            for (int t = 0; t < own.length; t++) {
                worst = Math.max(worst, visitor.deviation(row * longest + t, row * width + own[t]));
            }
        }
        return worst;
    }

    /** Largest absolute difference of {@code [batch, longest, n]} and {@code [batch, width, n]} at real tokens. */
    double worst(float[] actual, float[] wanted) {
        int each = wanted.length / (columns.size() * width);
        int longest = Arrays.stream(lengths()).max().orElse(0);
        if (actual.length != columns.size() * longest * each) {
            return Double.NaN;
        }
        return worst((a, w) -> Deviation.maxAbs(actual, a * each, wanted, w * each, each));
    }
}
