package io.llava4j.eval.statistics;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Percentile bootstrap of a mean: questions are drawn again with replacement (Efron 1979). Questions about one image are
 * taken as independent, which makes intervals a little too narrow where many are.
 */
public final class Bootstrap {
    /** Share of the resampled means that an interval holds. */
    public static final double LEVEL = 0.95;

    private static final int RESAMPLES = 2000;
    /** Draws in all; beyond it fewer resamples do, as the mean of so many questions is close to normal. */
    private static final long MAX_DRAWS = 100_000_000L;

    private static final int MIN_RESAMPLES = 200;

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
        int resamples = (int) Math.clamp(MAX_DRAWS / values.length, MIN_RESAMPLES, RESAMPLES);
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

    /**
     * Mean over tasks of the mean over questions of several training runs, which differ in their seed only. Runs and questions are
     * both drawn again: the interval knows how much trainings differ, as far as so few can tell.
     *
     * @param tasks of each task {@code [runs, questions]}; equally many runs of each, at least one
     * @param seed of the draws; equal seeds give equal intervals
     */
    public static Interval meanOverRuns(List<double[][]> tasks, long seed) {
        int runs = tasks.getFirst().length;
        long draws =
                tasks.stream().mapToLong(task -> (long) runs * task[0].length).sum();
        int resamples = (int) Math.clamp(MAX_DRAWS / Math.max(1, draws), MIN_RESAMPLES, RESAMPLES);
        SplittableRandom random = new SplittableRandom(seed);
        int[] once = new int[runs];
        Arrays.fill(once, 1);
        double[] means = new double[resamples];
        for (int i = 0; i < resamples; i++) {
            int[] drawn = new int[runs];
            for (int run = 0; run < runs; run++) {
                drawn[random.nextInt(runs)]++;
            }
            means[i] = tasks.stream()
                    .mapToDouble(task -> mean(task, drawn, random))
                    .average()
                    .orElseThrow();
        }
        Arrays.sort(means);
        double tail = (1 - LEVEL) / 2;
        double mean = tasks.stream()
                .mapToDouble(task -> mean(task, once, null))
                .average()
                .orElseThrow();
        return new Interval(mean, quantile(means, tail), quantile(means, 1 - tail));
    }

    /** Mean of a task whose runs count {@code times}, over drawn questions, or over all where nothing draws. */
    private static double mean(double[][] task, int[] times, @Nullable SplittableRandom random) {
        int questions = task[0].length;
        double sum = 0;
        for (int i = 0; i < questions; i++) {
            int question = random == null ? i : random.nextInt(questions);
            for (int run = 0; run < times.length; run++) {
                sum += times[run] * task[run][question];
            }
        }
        return sum / questions / times.length;
    }

    /** Between the two nearest order statistics, linearly. */
    private static double quantile(double[] sorted, double share) {
        double at = share * (sorted.length - 1);
        int below = (int) at;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }
}
