package io.llava4j.app.bench;

import java.util.List;

/** The middle one of measured values, which a disturbed round moves little. */
final class Median {
    private Median() {}

    /** The upper median; NaN of no values. */
    static double of(List<Double> values) {
        List<Double> sorted = values.stream().sorted().toList();
        return sorted.isEmpty() ? Double.NaN : sorted.get(sorted.size() / 2);
    }
}
