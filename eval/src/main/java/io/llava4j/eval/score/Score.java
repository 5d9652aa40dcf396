package io.llava4j.eval.score;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The scores of a set of answers on a benchmark.
 *
 * @param headline name of the number that is published, a key of {@code numbers}
 * @param numbers every number by name, in the unit the official code prints
 * @param perQuestion what each question contributes, by a name that is stable from run to run: 0..1 but for LLaVA-Bench
 *     (points of the model)
 * @param samples answers scored
 * @param warnings what a reader of the numbers should know
 * @param strict the same numbers by a stricter rule; null if not requested
 */
public record Score(
        String headline,
        Map<String, Double> numbers,
        Map<String, Double> perQuestion,
        int samples,
        List<String> warnings,
        @Nullable Strict strict) {
    /**
     * Numbers by a stricter rule.
     *
     * @param rule in which it differs from the official one
     * @param numbers by the same names as the official ones; some may be missing
     */
    public record Strict(String rule, Map<String, Double> numbers) {}

    /** @throws IllegalArgumentException if the headline is not among the numbers */
    public Score {
        if (!numbers.containsKey(headline)) {
            throw new IllegalArgumentException("no number called " + headline);
        }
    }

    /** Numbers by the strict rule; empty if not requested. */
    public Map<String, Double> strictNumbers() {
        return strict == null ? Map.of() : strict.numbers();
    }

    /** The published number. */
    public double value() {
        return numbers.getOrDefault(headline, Double.NaN);
    }
}
