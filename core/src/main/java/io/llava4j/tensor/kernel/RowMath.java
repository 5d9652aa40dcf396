package io.llava4j.tensor.kernel;

/**
 * Element-wise work of a transformer block on one row of hidden states. Every loop adds in a fixed order, so a row's result
 * does not depend on the rows computed with it.
 */
public final class RowMath {
    private static final float LOG2_E = 1.4426950408889634f;

    /** 1.5 * 2^23: adding and subtracting it rounds a float of moderate size to the nearest integer. */
    private static final float ROUNDING = 12582912f;

    private static final int EXPONENT_BIAS = 127;
    private static final int MANTISSA_BITS = 23;
    private static final int LANES = 8;

    private RowMath() {}

    /** Root-mean-square norm: {@code out = x / sqrt(mean(x^2) + eps) * weight}. */
    public static void rmsNorm(float[] x, float[] weight, double eps, float[] out) {
        double[] sums = new double[LANES];
        int whole = x.length / LANES * LANES;
        for (int i = 0; i < whole; i += LANES) {
            for (int lane = 0; lane < LANES; lane++) {
                sums[lane] = Math.fma((double) x[i + lane], x[i + lane], sums[lane]);
            }
        }
        double sum = 0;
        for (double part : sums) {
            sum += part;
        }
        for (int i = whole; i < x.length; i++) {
            sum = Math.fma((double) x[i], x[i], sum);
        }
        float scale = (float) (1 / Math.sqrt(sum / x.length + eps));
        for (int i = 0; i < x.length; i++) {
            out[i] = x[i] * scale * weight[i];
        }
    }

    /** SwiGLU: {@code gate = gate * sigmoid(gate) * up}. */
    public static void swiglu(float[] gate, float[] up) {
        for (int i = 0; i < gate.length; i++) {
            gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i];
        }
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

    /** Softmax over the first {@code count} scores. */
    public static void softmax(float[] scores, int count) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, scores[i]);
        }
        for (int i = 0; i < count; i++) {
            scores[i] = exp(scores[i] - largest);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += scores[i];
        }
        float scale = (float) (1 / sum);
        for (int i = 0; i < count; i++) {
            scores[i] *= scale;
        }
    }

    /**
     * e^x to about 1e-7, relative: 2^n times a polynomial for the fraction. It underflows to almost 0 below -87 and reaches
     * 2^126 above 87.
     */
    static float exp(float x) {
        float scaled = Math.clamp(x * LOG2_E, -126f, 126f);
        float whole = scaled + ROUNDING - ROUNDING;
        float fraction = scaled - whole;
        float p = Math.fma(fraction, 1.5403530e-4f, 1.3333558e-3f);
        p = Math.fma(p, fraction, 9.6181291e-3f);
        p = Math.fma(p, fraction, 5.5504109e-2f);
        p = Math.fma(p, fraction, 2.4022651e-1f);
        p = Math.fma(p, fraction, 6.9314718e-1f);
        p = Math.fma(p, fraction, 1f);
        return Float.intBitsToFloat(((int) whole + EXPONENT_BIAS) << MANTISSA_BITS) * p;
    }
}
