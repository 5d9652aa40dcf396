package io.llava4j.eval.statistics;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Percentile bootstrap of a mean: questions are drawn again with replacement (Efron 1979). Questions about one image are
 * taken as independent, which makes intervals a little too narrow where many are.
 */
public final class Bootstrap {
    /** Share of the resampled means that an interval holds. */
    public static final double LEVEL = 0.95;

    private static final int RESAMPLES = 2000;
    /** Draws in all; beyond it fewer resamples do, as the mean of so many questions is close to normal. */
    private static final long MOST_DRAWS = 100_000_000L;

    private static final int LEAST_RESAMPLES = 200;

    private Bootstrap() {}

    /** A mean with its interval, in the unit of the values. */
    public record Interval(double mean, double low, double high) {}

    /**
     * Mean and interval of values.
     *
     * @param values one per question; at least one
     * @param seed of the draws; equal seeds give equal intervals
     */
    public static Interval mean(double[] values, long seed) {
        if (values.length == 0) {
            throw new IllegalArgumentException("a mean needs values");
        }
        int resamples = (int) Math.clamp(MOST_DRAWS / values.length, LEAST_RESAMPLES, RESAMPLES);
        SplittableRandom random = new SplittableRandom(seed);
        double[] means = new double[resamples];
        for (int i = 0; i < resamples; i++) {
            double sum = 0;
            for (int draw = 0; draw < values.length; draw++) {
                sum += values[random.nextInt(values.length)];
            }
            means[i] = sum / values.length;
        }
        Arrays.sort(means);
        double tail = (1 - LEVEL) / 2;
        return new Interval(
                Arrays.stream(values).average().orElseThrow(), quantile(means, tail), quantile(means, 1 - tail));
    }

    /** Between the two nearest order statistics, linearly. */
    private static double quantile(double[] sorted, double share) {
        double at = share * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
