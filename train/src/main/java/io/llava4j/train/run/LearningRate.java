package io.llava4j.train.run;

import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import org.jspecify.annotations.Nullable;

/**
 * Learning rate of every optimiser step: linear from 0 over the warm-up, then a half cosine down to 0
 * (docs/reference/training.md#learning-rate, the schedule of the transformers library). Step 0 has rate 0.
 */
public final class LearningRate {
    /** Shape after the warm-up. */
    public enum Curve {
        COSINE,
        CONSTANT
    }

    /**
     * Length of the run and shape of its learning-rate curve.
     *
     * @param type curve after the warm-up
     * @param warmupRatio share of all steps in which the rate rises from 0
     * @param epochs passes over the data
     * @param maxSteps optimiser steps of the run; takes precedence over {@code epochs}
     */
    public record Config(
            @Default("cosine") Curve type,
            @Default("0.03") double warmupRatio,
            @Default("1") double epochs,
            @Nullable Integer maxSteps) {
        public Config {
            Require.fraction("warmup-ratio", warmupRatio);
            Require.positive("epochs", epochs);
            if (maxSteps != null) {
                Require.positive("max-steps", maxSteps);
            }
        }

        /** Optimiser steps of a run whose epoch has this many, at least 1. */
        public int steps(int stepsPerEpoch) {
            return maxSteps != null ? maxSteps : Math.max(1, (int) Math.ceil(epochs * stepsPerEpoch));
        }
    }

    private final Curve type;
    private final long totalSteps;
    private final long warmupSteps;

    /**
     * A curve.
     *
     * @param config warm-up ratio and shape
     * @param totalSteps optimiser steps of the whole run, at least 1
     */
    public LearningRate(Config config, long totalSteps) {
        this.type = config.type();
        this.totalSteps = totalSteps;
        this.warmupSteps = (long) Math.ceil(totalSteps * config.warmupRatio());
    }

    /** Steps in which the rate rises: {@code ceil(totalSteps * warmupRatio)}. */
    public long warmupSteps() {
        return warmupSteps;
    }

    /**
     * Rate of a step.
     *
     * @param step counted from 0
     * @param peak rate at the end of the warm-up
     */
    public double at(long step, double peak) {
        if (step < warmupSteps) {
            return peak * step / warmupSteps;
        }
        return switch (type) {
            case CONSTANT -> peak;
            case COSINE -> {
                double progress = (double) (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
                yield peak * Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)));
            }
        };
    }
}
