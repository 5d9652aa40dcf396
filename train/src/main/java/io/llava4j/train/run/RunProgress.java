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
 */
public record RunProgress(int step, long samples, Truncation truncation) {
    /** Before the first step. */
    public static final RunProgress START = new RunProgress(0, 0, Truncation.NONE);

    private static final String STEP = "step";
    private static final String SAMPLES = "samples";
    private static final String TRUNCATED_SAMPLES = "truncated_samples";
    private static final String TRUNCATED_TOKENS = "truncated_tokens";

    /** After one step more. */
    RunProgress after(int samplesOfStep, Truncation truncationOfStep) {
        return new RunProgress(step + 1, samples + samplesOfStep, truncation.plus(truncationOfStep));
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
                        Long.parseLong(metadata.getOrDefault(TRUNCATED_TOKENS, "0"))));
    }
}
