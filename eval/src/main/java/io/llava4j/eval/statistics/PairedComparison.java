package io.llava4j.eval.statistics;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Two runs on the same questions.
 *
 * @param questions answered by both
 * @param difference mean of second minus first, with a paired bootstrap interval
 * @param onlyFirst questions that only the first has right
 * @param onlySecond questions that only the second has right
 * @param mcNemar two-sided p of McNemar's exact test; none where credit is not all or nothing
 */
public record PairedComparison(
        int questions, Bootstrap.Interval difference, int onlyFirst, int onlySecond, OptionalDouble mcNemar) {
    /** A p at or below it is called significant. */
    public static final double SIGNIFICANT = 0.05;

    /**
     * Compares by question.
     *
     * @param first credit of each question
     * @param second credit of each question
     * @throws IllegalArgumentException if they have no question in common
     */
    public static PairedComparison of(Map<String, Double> first, Map<String, Double> second) {
        List<Double> differences = new ArrayList<>();
        boolean allOrNothing = true;
        int onlyFirst = 0;
        int onlySecond = 0;
        for (Map.Entry<String, Double> entry : first.entrySet()) {
            Double other = second.get(entry.getKey());
            if (other == null) {
                continue;
            }
            double own = entry.getValue();
            differences.add(other - own);
            allOrNothing &= (own == 0 || own == 1) && (other == 0 || other == 1);
            onlyFirst += own > other ? 1 : 0;
            onlySecond += other > own ? 1 : 0;
        }
        if (differences.isEmpty()) {
            throw new IllegalArgumentException("the runs have no question in common");
        }
        return new PairedComparison(
                differences.size(),
                Bootstrap.mean(
                        differences.stream().mapToDouble(Double::doubleValue).toArray(), 1),
                onlyFirst,
                onlySecond,
                allOrNothing ? OptionalDouble.of(mcNemar(onlyFirst, onlySecond)) : OptionalDouble.empty());
    }

    /** Whether the difference is significant: by McNemar's test where it applies, else by the interval. */
    public boolean significant() {
        return mcNemar.isPresent()
                ? mcNemar.getAsDouble() <= SIGNIFICANT
                : difference.low() > 0 || difference.high() < 0;
    }

    /** Whether the second run is significantly better. */
    public boolean better() {
        return significant() && difference.mean() > 0;
    }

    /** Two-sided exact binomial probability of parting {@code b + c} discordant pairs at least as unevenly. */
    static double mcNemar(int b, int c) {
        int n = b + c;
        if (n == 0) {
            return 1;
        }
        double tail = 0;
        double logTerm = -n * Math.log(2);
        for (int k = 0; k <= Math.min(b, c); k++) {
            tail += Math.exp(logTerm);
            logTerm += Math.log((double) (n - k) / (k + 1));
        }
        return Math.min(1, 2 * tail);
    }
}
