package io.llava4j.train.recipe;

import io.llava4j.train.recipe.TrainConfig.ScheduleSpec;
import io.llava4j.train.recipe.TrainConfig.ScheduleType;

/**
 * Learning rate of every optimiser step: linear from 0 over the warm-up, then a half cosine down to 0 (docs/reference/training.md#learning-rate,
 * the schedule of the transformers library). Step 0 has rate 0.
 */
public final class LearningRate {
    private final ScheduleType type;
    private final long totalSteps;
    private final long warmupSteps;

    /**
     * @param schedule warm-up ratio and curve
     * @param totalSteps optimiser steps of the whole run, at least 1
     */
    public LearningRate(ScheduleSpec schedule, long totalSteps) {
        this.type = schedule.type();
        this.totalSteps = totalSteps;
        this.warmupSteps = (long) Math.ceil(totalSteps * schedule.warmupRatio());
    }

    /** Steps in which the rate rises: {@code ceil(totalSteps * warmupRatio)}. */
    public long warmupSteps() {
        return warmupSteps;
    }

    /**
     * Rate of a step.
     *
     * @param step counted from 0
     * @param peak the rate the warm-up ends at
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
