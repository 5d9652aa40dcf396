package io.llava4j.tensor.kernel;

/**
 * e^x in 32-bit floats, to 2e-7 relative: a power of two times a polynomial for what remains. Arguments below
 * {@value #LEAST} and above {@value #LARGEST} count as these. The steps are the same in Java and in machine code, so both
 * give the same bits.
 */
final class Exponential {
    static final float LEAST = -87.3f;
    static final float LARGEST = 88f;
    static final float LOG2_E = 1.4426950408889634f;

    /** 1.5 * 2^23: added to a float below 2^22, it leaves the nearest integer in the low bits. */
    static final float ROUNDING = 0x1.8p23f;

    /** ln 2 in two parts, the first with so few bits that its multiples are exact. */
    static final float LN2_HIGH = 0.693359375f;

    static final float LN2_LOW = -2.12194440e-4f;

    /** Of Taylor's series, the highest power first. */
    static final float[] POLYNOMIAL = {1f / 5040, 1f / 720, 1f / 120, 1f / 24, 1f / 6, 0.5f, 1, 1};

    static final int MANTISSA_BITS = 23;

    private Exponential() {}

    static float of(float x) {
        float limited = Math.min(LARGEST, Math.max(LEAST, x));
        float rounded = Math.fma(limited, LOG2_E, ROUNDING);
        float power = rounded - ROUNDING;
        float rest = Math.fma(-power, LN2_LOW, Math.fma(-power, LN2_HIGH, limited));
        float sum = POLYNOMIAL[0];
        for (int i = 1; i < POLYNOMIAL.length; i++) {
            sum = Math.fma(sum, rest, POLYNOMIAL[i]);
        }
        return Float.intBitsToFloat(Float.floatToRawIntBits(sum) + (Float.floatToRawIntBits(rounded) << MANTISSA_BITS));
    }
}
