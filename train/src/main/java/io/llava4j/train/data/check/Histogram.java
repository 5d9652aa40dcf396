package io.llava4j.train.data.check;

import java.util.Arrays;

/**
 * Counts of values in bins of equal width; the last one may be open above.
 *
 * @param width of a bin, one of 1, 2, 5, 10, 20 …
 * @param counts of the bins; bin {@code i} holds the values from {@code i * width} to below {@code (i + 1) * width}
 * @param open whether the last bin also holds everything above it
 */
public record Histogram(int width, int[] counts, boolean open) {
    /**
     * Counts values; values above the 99.5th percentile's bin are counted in the last one, so that a few outliers do not
     * flatten the histogram.
     *
     * @param values not negative
     * @param bins approximate number of bins
     */
    public static Histogram of(int[] values, int bins) {
        if (values.length == 0) {
            return new Histogram(1, new int[0], false);
        }
        int[] sorted = values.clone();
        Arrays.sort(sorted);
        int high = sorted[(int) Math.min(sorted.length - 1L, (long) (sorted.length * 0.995))];
        int width = round(Math.max(1, Math.ceilDiv(high + 1, bins)));
        int[] counts = new int[high / width + 1];
        for (int value : sorted) {
            counts[Math.min(value / width, counts.length - 1)]++;
        }
        return new Histogram(width, counts, sorted[sorted.length - 1] / width >= counts.length);
    }

    /** The next of 1, 2, 5, 10, 20, 50 … */
    private static int round(int width) {
        int power = 1;
        while (true) {
            for (int step : new int[] {1, 2, 5}) {
                if (step * power >= width) {
                    return step * power;
                }
            }
            power *= 10;
        }
    }
}
