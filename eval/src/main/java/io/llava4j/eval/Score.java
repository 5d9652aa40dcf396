package io.llava4j.eval;

import java.util.List;
import java.util.Map;

/**
 * What a benchmark gives a set of answers.
 *
 * @param headline name of the number that is published, a key of {@code numbers}
 * @param numbers every number by name, in the unit the official code prints
 * @param samples answers scored
 * @param warnings what a reader of the numbers should know
 */
public record Score(String headline, Map<String, Double> numbers, int samples, List<String> warnings) {

    /** @throws IllegalArgumentException if the headline is not among the numbers */
    public Score {
        if (!numbers.containsKey(headline)) {
            throw new IllegalArgumentException("no number called " + headline);
        }
    }

    /** The published number. */
    public double value() {
        return numbers.getOrDefault(headline, Double.NaN);
    }
}
