package io.llava4j.eval.pope;

import io.llava4j.eval.format.QuestionId;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Scores of POPE.
 *
 * @param splits by split name
 * @param parsed what each answer was taken for, by question id in answer order; true is yes
 * @param warnings differences between positions and ids, answers that could not be used, undefined numbers
 */
public record PopeScore(Map<String, SplitScore> splits, Map<QuestionId, Boolean> parsed, List<String> warnings) {

    /** The number LLaVA reports: mean F1 of the splits, 0..1. */
    public double meanF1() {
        return mean(splits.values().stream().map(SplitScore::f1).toList());
    }

    /** Mean accuracy of the splits, 0..1. */
    public double meanAccuracy() {
        return mean(splits.values().stream().map(SplitScore::accuracy).toList());
    }

    private static double mean(List<Double> values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return values.isEmpty() ? 0 : sum / values.size();
    }

    /**
     * Scores of one split; yes is the positive class, all ratios are 0..1.
     *
     * @param answers answers given; may differ from the number compared
     * @param answeredYes answers taken for yes
     * @param truePositives yes, rightly
     * @param falsePositives yes, wrongly
     * @param trueNegatives no, rightly
     * @param falseNegatives no, wrongly
     */
    public record SplitScore(
            int answers,
            int answeredYes,
            int truePositives,
            int falsePositives,
            int trueNegatives,
            int falseNegatives) {

        /** Whether the official script would finish: it divides by zero where no yes is right. */
        public boolean definedByOfficialScript() {
            return truePositives > 0;
        }

        /** Share of right answers. */
        public double accuracy() {
            return ratio(truePositives + trueNegatives, compared());
        }

        /** Share of yes answers that are right; 0 where there is none. */
        public double precision() {
            return ratio(truePositives, truePositives + falsePositives);
        }

        /** Share of present objects that were answered yes; 0 where there is none. */
        public double recall() {
            return ratio(truePositives, truePositives + falseNegatives);
        }

        /** Harmonic mean of precision and recall; 0 where both are 0. */
        public double f1() {
            double precision = precision();
            double recall = recall();
            return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
        }

        /** Share of answers taken for yes. */
        public double yesRatio() {
            return ratio(answeredYes, answers);
        }

        /** Answers that met a label. */
        public int compared() {
            return truePositives + falsePositives + trueNegatives + falseNegatives;
        }

        /** F1, accuracy, precision, recall and yes ratio as the official script prints them. */
        public String printed() {
            return Stream.of(f1(), accuracy(), precision(), recall(), yesRatio())
                    .map(value -> new BigDecimal(value)
                            .setScale(3, RoundingMode.HALF_EVEN)
                            .toPlainString())
                    .collect(Collectors.joining(", "));
        }

        private static double ratio(int part, int whole) {
            return whole == 0 ? 0 : (double) part / whole;
        }
    }
}
