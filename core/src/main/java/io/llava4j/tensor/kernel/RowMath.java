package io.llava4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * Element-wise work of a transformer block on one row of hidden states. Every loop adds in an order that the row alone
 * determines, and machine code gives the same bits as Java.
 */
public final class RowMath {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final int LANES = 8;
    private static final int STEP = RowCode.STEP;

    /** {@code quick_gelu(x) = x * sigmoid(1.702 x)}, so the exponential's argument is this times x. */
    static final float QUICK_GELU = -1.702f;

    private static final float SQRT_HALF = 0.70710678f;

    private final @Nullable RowCode code;

    /** @param kernels whose machine code runs the loops, where they have any */
    public RowMath(Kernels kernels) {
        this.code = kernels.kernel() instanceof CodeKernel machine ? machine.rows() : null;
    }

    /** Root-mean-square norm: {@code out = x / sqrt(mean(x^2) + eps) * weight}. */
    public static void rmsNorm(float[] x, float[] weight, double eps, float[] out) {
        float scale = (float) (1 / Math.sqrt(squares(x, 0) / x.length + eps));
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] * scale * weight[i];
        }
    }

    /** Layer norm: {@code out = (x - mean) / sqrt(variance + eps) * weight + bias}. */
    public static void layerNorm(float[] x, float[] weight, float[] bias, double eps, float[] out) {
        double mean = sum(x) / x.length;
        float shift = (float) mean;
        float scale = (float) (1 / Math.sqrt(squares(x, mean) / x.length + eps));
        for (int i = 0; i < x.length; i++) {
            out[i] = (x[i] - shift) * scale * weight[i] + bias[i];
        }
    }

    private static double sum(float[] x) {
        double[] sums = new double[LANES];
        int whole = x.length / LANES * LANES;
        for (int i = 0; i < whole; i += LANES) {
            for (int lane = 0; lane < LANES; lane++) {
                sums[lane] += x[i + lane];
            }
        }
        double sum = 0;
        for (double part : sums) {
            sum += part;
        }
        for (int i = whole; i < x.length; i++) {
            sum += x[i];
        }
        return sum;
    }

    /** Sum of {@code (x - mean)^2}. */
    private static double squares(float[] x, double mean) {
        double[] sums = new double[LANES];
        int whole = x.length / LANES * LANES;
        for (int i = 0; i < whole; i += LANES) {
            for (int lane = 0; lane < LANES; lane++) {
                double difference = x[i + lane] - mean;
                sums[lane] = Math.fma(difference, difference, sums[lane]);
            }
        }
        double sum = 0;
        for (double part : sums) {
            sum += part;
        }
        for (int i = whole; i < x.length; i++) {
            double difference = x[i] - mean;
            sum = Math.fma(difference, difference, sum);
        }
        return sum;
    }

    /**
     * Turns the heads of a row by a position's angles, in the "rotate half" layout
     * (docs/reference/model.md#rotary-position-embedding).
     *
     * @param x {@code [heads, headDim]}
     * @param cos table of {@code [positions, headDim / 2]}
     * @param sin table of {@code [positions, headDim / 2]}
     */
    public static void rotate(float[] x, int headDim, float[] cos, float[] sin, int position) {
        int half = headDim / 2;
        int table = position * half;
        for (int head = 0; head < x.length; head += headDim) {
            for (int i = 0; i < half; i++) {
                float a = x[head + i];
                float b = x[head + half + i];
                x[head + i] = a * cos[table + i] - b * sin[table + i];
                x[head + half + i] = b * cos[table + i] + a * sin[table + i];
            }
        }
    }

    /**
     * SwiGLU: {@code gate = gate * sigmoid(gate) * up}.
     *
     * @param gate floats off the heap
     * @param up as many floats
     */
    public void swiglu(MemorySegment gate, MemorySegment up) {
        int count = (int) (gate.byteSize() / Float.BYTES);
        int done = 0;
        if (code != null && count >= STEP) {
            code.swiglu(gate, up, count / STEP);
            done = count / STEP * STEP;
        }
        for (int i = done; i < count; i++) {
            float x = gate.getAtIndex(FLOAT, i);
            gate.setAtIndex(FLOAT, i, x / (1 + Exponential.of(0 - x)) * up.getAtIndex(FLOAT, i));
        }
    }

    /**
     * CLIP's activation: {@code x = t * sigmoid(1.702 t)} of {@code t = x + bias}.
     *
     * @param x floats off the heap
     * @param bias as many floats
     */
    public void quickGelu(MemorySegment x, MemorySegment bias) {
        int count = (int) (x.byteSize() / Float.BYTES);
        int done = 0;
        if (code != null && count >= STEP) {
            code.quickGelu(x, bias, count / STEP);
            done = count / STEP * STEP;
        }
        for (int i = done; i < count; i++) {
            float t = x.getAtIndex(FLOAT, i) + bias.getAtIndex(FLOAT, i);
            x.setAtIndex(FLOAT, i, t / (1 + Exponential.of(t * QUICK_GELU)));
        }
    }

    /**
     * GELU: {@code x = t / 2 * (1 + erf(t / sqrt(2)))} of {@code t = x + bias}, to {@code 2e-7 * |t|}.
     *
     * @param x is replaced
     * @param bias as many floats
     */
    public static void gelu(float[] x, float[] bias) {
        for (int i = 0; i < x.length; i++) {
            float t = x[i] + bias[i];
            float tail = t * 0.5f * complementaryErf(Math.abs(t) * SQRT_HALF);
            x[i] = t < 0 ? tail : t - tail;
        }
    }

    /** {@code 1 - erf(z)} for z >= 0, to 2e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26). */
    private static float complementaryErf(float z) {
        float k = 1 / Math.fma(0.3275911f, z, 1);
        float sum = 1.061405429f;
        sum = Math.fma(sum, k, -1.453152027f);
        sum = Math.fma(sum, k, 1.421413741f);
        sum = Math.fma(sum, k, -0.284496736f);
        sum = Math.fma(sum, k, 0.254829592f);
        return sum * k * Exponential.of(-z * z);
    }

    /**
     * Exponentials of scores, as softmax needs them, and the factor that makes their sum 1.
     *
     * @param scores floats off the heap, with room for whole steps of {@value RowCode#STEP}; what follows the first
     *     {@code count} is overwritten
     * @param lanes memory for {@value RowCode#STEP} floats
     * @param count of scores, at least 1
     * @return what the exponentials must be multiplied by
     */
    public float softmax(MemorySegment scores, MemorySegment lanes, int count) {
        int steps = Math.ceilDiv(count, STEP);
        for (int i = count; i < steps * STEP; i++) {
            scores.setAtIndex(FLOAT, i, Float.NEGATIVE_INFINITY);
        }
        if (code == null) {
            largest(scores, lanes, steps);
        } else {
            code.largest(scores, lanes, steps);
        }
        float largest = Float.NEGATIVE_INFINITY;
        for (int lane = 0; lane < STEP; lane++) {
            largest = Math.max(largest, lanes.getAtIndex(FLOAT, lane));
        }
        for (int lane = 0; lane < STEP; lane++) {
            lanes.setAtIndex(FLOAT, lane, largest);
        }
        if (code == null) {
            exponentials(scores, lanes, steps, largest);
        } else {
            code.exponentials(scores, lanes, steps);
        }
        float sum = 0;
        for (int lane = 0; lane < STEP; lane++) {
            sum += lanes.getAtIndex(FLOAT, lane);
        }
        return 1 / sum;
    }

    private static void largest(MemorySegment x, MemorySegment lanes, int steps) {
        MemorySegment.copy(x, 0, lanes, 0, (long) STEP * Float.BYTES);
        for (int i = STEP; i < steps * STEP; i++) {
            float before = lanes.getAtIndex(FLOAT, i % STEP);
            lanes.setAtIndex(FLOAT, i % STEP, Math.max(before, x.getAtIndex(FLOAT, i)));
        }
    }

    private static void exponentials(MemorySegment x, MemorySegment lanes, int steps, float largest) {
        lanes.fill((byte) 0);
        for (int i = 0; i < steps * STEP; i++) {
            float value = Exponential.of(x.getAtIndex(FLOAT, i) - largest);
            x.setAtIndex(FLOAT, i, value);
            lanes.setAtIndex(FLOAT, i % STEP, lanes.getAtIndex(FLOAT, i % STEP) + value);
        }
    }
}
