package io.llava4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/** Rounds blocks of a column to integers in plain Java: the definition of {@link Activations}, to the last bit. */
final class BlockQuantiser {
    static final float SMALLEST = 0x1p-119f;

    private static final int BLOCK = PackedLayout.BLOCK;
    private static final int INFINITE = 0x7F800000;

    /** Added to a float below 2^22, it leaves the nearest integer in the low bits. */
    private static final float ROUNDING = 0x1.8p23f;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

    private final float[] block = new float[BLOCK];
    private final byte[] rounded = new byte[BLOCK];

    /**
     * Rounds blocks.
     *
     * @param x floats of one column; missing ones of the last blocks are zero
     * @param values {@code [block, columns, 32]} bytes, from those of the column in the first block
     * @param fields {@code [block, field, columns]}, from the first of the column in the first block
     */
    void quantise(MemorySegment x, int blocks, MemorySegment values, MemorySegment fields, int columns) {
        int in = (int) (x.byteSize() / Float.BYTES);
        for (int b = 0; b < blocks; b++) {
            int known = Math.clamp(in - (long) b * BLOCK, 0, BLOCK);
            if (known > 0) {
                MemorySegment.copy(x, FLOAT, (long) b * BLOCK * Float.BYTES, block, 0, known);
            }
            Arrays.fill(block, known, BLOCK, 0);
            float scale = round();
            long at = (long) b * columns;
            MemorySegment.copy(rounded, 0, values, ValueLayout.JAVA_BYTE, at * BLOCK, BLOCK);
            describe(scale, fields, at * Activations.FIELDS, columns);
        }
    }

    private void describe(float scale, MemorySegment fields, long at, int columns) {
        int first = sum(0);
        int last = sum(BLOCK / 2);
        fields.setAtIndex(ValueLayout.JAVA_FLOAT, at + (long) Activations.SCALE * columns, scale);
        fields.setAtIndex(ValueLayout.JAVA_FLOAT, at + (long) Activations.SCALED_SUM * columns, scale * (first + last));
        fields.setAtIndex(ValueLayout.JAVA_INT, at + (long) Activations.BIAS_8 * columns, -8 * (first + last));
        fields.setAtIndex(ValueLayout.JAVA_INT, at + (long) Activations.BIAS_128 * columns, -128 * (first + last));
        fields.setAtIndex(ValueLayout.JAVA_INT, at + (long) Activations.HALF_BIASES_128 * columns, -128 * first);
        fields.setAtIndex(ValueLayout.JAVA_INT, at + (Activations.HALF_BIASES_128 + 1L) * columns, -128 * last);
    }

    private int sum(int from) {
        int sum = 0;
        for (int i = from; i < from + BLOCK / 2; i++) {
            sum += rounded[i];
        }
        return sum;
    }

    /** Returns the scale; NaN if a number is not finite. */
    private float round() {
        int largest = 0;
        for (int i = 0; i < BLOCK; i++) {
            largest = Math.max(largest, Float.floatToRawIntBits(block[i]) & Integer.MAX_VALUE);
        }
        float magnitude = Float.intBitsToFloat(largest);
        boolean finite = largest < INFINITE;
        if (!finite || magnitude < SMALLEST) {
            Arrays.fill(rounded, (byte) 0);
            return finite ? 0 : Float.NaN;
        }
        float inverse = 127 / magnitude;
        int zero = Float.floatToRawIntBits(ROUNDING);
        for (int i = 0; i < BLOCK; i++) {
            rounded[i] = (byte) (Float.floatToRawIntBits(block[i] * inverse + ROUNDING) - zero);
        }
        return magnitude / 127;
    }
}
