package io.llava4j.eval.report;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.score.Score;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The result of a run on one benchmark.
 *
 * @param benchmark which
 * @param headline name of the published number, a key of {@code numbers}
 * @param numbers every number by name, in the unit the official code prints
 * @param samples answers scored
 * @param judge the judge's name; empty without a judge
 * @param warnings what a reader of the numbers should know
 * @param perQuestion what each question contributes, by its id; 0..1 but for LLaVA-Bench
 * @param unusable images that were missing or could not be read; null if there were none
 */
public record TaskResult(
        Benchmark benchmark,
        String headline,
        Map<String, Double> numbers,
        int samples,
        String judge,
        List<String> warnings,
        Map<String, Double> perQuestion,
        @Nullable UnusableImages unusable) {

    /** A result for which all images could be used. */
    public TaskResult(
            Benchmark benchmark,
            String headline,
            Map<String, Double> numbers,
            int samples,
            String judge,
            List<String> warnings,
            Map<String, Double> perQuestion) {
        this(benchmark, headline, numbers, samples, judge, warnings, perQuestion, null);
    }

    /** The result of a score. */
    public static TaskResult of(Benchmark benchmark, Score score, String judge) {
        return new TaskResult(
                benchmark,
                score.headline(),
                score.numbers(),
                score.samples(),
                judge,
                score.warnings(),
                score.perQuestion());
    }

    /**
     * The same result with what happened while its questions were asked.
     *
     * @param images those that could not be used; null if all could
     * @param first warnings that stand before those of the score
     */
    public TaskResult with(@Nullable UnusableImages images, List<String> first) {
        List<String> all = new ArrayList<>(first);
        all.addAll(warnings);
        return new TaskResult(benchmark, headline, numbers, samples, judge, all, perQuestion, images);
    }

    /** Name of the benchmark on the command line. */
    public String name() {
        return benchmark.name();
    }

    /** The headline in the unit it is published in. */
    public double value() {
        return benchmark.publishedScale() * numbers.getOrDefault(headline, Double.NaN);
    }
}
