package io.llava4j.eval.report;

/**
 * How a stage of training went. All arrays are of one length.
 *
 * @param name of the stage
 * @param steps optimiser steps, ascending
 * @param loss at each step; values that are not finite leave a gap
 * @param learningRate at each step
 */
public record TrainingCurve(String name, double[] steps, double[] loss, double[] learningRate) {
    /** @throws IllegalArgumentException if the lengths differ */
    public TrainingCurve {
        if (steps.length != loss.length || steps.length != learningRate.length) {
            throw new IllegalArgumentException("a curve needs as many losses and learning rates as steps");
        }
    }

    /**
     * Exponential moving average of the loss without its pull towards zero at the start; it looks back over about a
     * fortieth of the steps, at least 4 and at most 50.
     */
    public double[] smoothed() {
        double momentum = 1 - 1 / Math.clamp(loss.length / 40.0, 4, 50);
        double[] out = new double[loss.length];
        double sum = 0;
        double weight = 0;
        for (int i = 0; i < loss.length; i++) {
            if (Double.isFinite(loss[i])) {
                sum = momentum * sum + (1 - momentum) * loss[i];
                weight = momentum * weight + (1 - momentum);
            }
            out[i] = weight == 0 ? Double.NaN : sum / weight;
        }
        return out;
    }
}
