package io.llava4j.train.run;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How far a run is; a state holds it besides parameters and moments.
 *
 * @param step optimiser steps done
 * @param samples samples used so far
 * @param truncation what samples have lost so far to the longest sequence
 * @param evaluations what is known of the evaluations
 */
public record RunProgress(int step, long samples, Truncation truncation, Evaluations evaluations) {
    /** Before the first step. */
    public static final RunProgress START = new RunProgress(0, 0, Truncation.NONE, Evaluations.NONE);

    /**
     * The evaluations of a run so far. That before the first step is only for comparison.
     *
     * @param last step of the newest one; -1 if there was none
     * @param bestStep step of the best model; 0 if there was none
     * @param best its held-out loss, or the score that the best model is chosen by with a minus sign: less is better
     * @param improvedTo the same of the last improvement, which early stop compares with
     * @param withoutImprovement evaluations since then
     */
    public record Evaluations(int last, int bestStep, double best, double improvedTo, int withoutImprovement) {
        /** Before the first. */
        public static final Evaluations NONE =
                new Evaluations(-1, 0, Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY, 0);

        /** After one more, whose loss or negated score is {@code value}. */
        Evaluations after(int step, double value, double minDelta) {
            if (step == 0) {
                return new Evaluations(0, 0, best, improvedTo, 0);
            }
            boolean better = value < best;
            boolean improved = Double.isInfinite(improvedTo) ? !Double.isNaN(value) : value < improvedTo - minDelta;
            return new Evaluations(
                    step,
                    better ? step : bestStep,
                    better ? value : best,
                    improved ? value : improvedTo,
                    improved ? 0 : withoutImprovement + 1);
        }
    }

    private static final String STEP = "step";
    private static final String SAMPLES = "samples";
    private static final String TRUNCATED_SAMPLES = "truncated_samples";
    private static final String TRUNCATED_TOKENS = "truncated_tokens";
    private static final String EVALUATED = "evaluated_step";
    private static final String BEST_STEP = "best_step";
    private static final String BEST_LOSS = "best_loss";
    private static final String IMPROVED_TO = "improved_to_loss";
    private static final String WITHOUT_IMPROVEMENT = "evaluations_without_improvement";

    /** After one step more. */
    RunProgress after(int samplesOfStep, Truncation truncationOfStep) {
        return new RunProgress(step + 1, samples + samplesOfStep, truncation.plus(truncationOfStep), evaluations);
    }

    /** After an evaluation. */
    RunProgress with(Evaluations done) {
        return new RunProgress(step, samples, truncation, done);
    }

    /** Name of a folder that belongs to a step, {@code step-000500}. */
    static String folder(int step) {
        return String.format(Locale.ROOT, "step-%06d", step);
    }

    Map<String, String> toMetadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(STEP, Integer.toString(step));
        metadata.put(SAMPLES, Long.toString(samples));
        metadata.put(TRUNCATED_SAMPLES, Integer.toString(truncation.samples()));
        metadata.put(TRUNCATED_TOKENS, Long.toString(truncation.tokens()));
        metadata.put(EVALUATED, Integer.toString(evaluations.last()));
        metadata.put(BEST_STEP, Integer.toString(evaluations.bestStep()));
        metadata.put(BEST_LOSS, Double.toString(evaluations.best()));
        metadata.put(IMPROVED_TO, Double.toString(evaluations.improvedTo()));
        metadata.put(WITHOUT_IMPROVEMENT, Integer.toString(evaluations.withoutImprovement()));
        return metadata;
    }

    static RunProgress ofMetadata(Map<String, String> metadata) {
        int step = Integer.parseInt(metadata.getOrDefault(STEP, "0"));
        // States of earlier versions do not count samples; those with steps had some.
        return new RunProgress(
                step,
                Long.parseLong(metadata.getOrDefault(SAMPLES, Integer.toString(step))),
                new Truncation(
                        Integer.parseInt(metadata.getOrDefault(TRUNCATED_SAMPLES, "0")),
                        Long.parseLong(metadata.getOrDefault(TRUNCATED_TOKENS, "0"))),
                new Evaluations(
                        Integer.parseInt(metadata.getOrDefault(EVALUATED, "-1")),
                        Integer.parseInt(metadata.getOrDefault(BEST_STEP, "0")),
                        Double.parseDouble(metadata.getOrDefault(BEST_LOSS, "Infinity")),
                        Double.parseDouble(metadata.getOrDefault(IMPROVED_TO, "Infinity")),
                        Integer.parseInt(metadata.getOrDefault(WITHOUT_IMPROVEMENT, "0"))));
    }
}
