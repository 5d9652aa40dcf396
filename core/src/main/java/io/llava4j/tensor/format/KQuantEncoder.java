package io.llava4j.tensor.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Encodes Q4_K and Q6_K blocks, whose layout {@link KQuantBlocks} describes. The scale, and in Q4_K the minimum, of every
 * group is searched so that the squared error, weighted by the size of the elements and by the importance of their columns, is least: from several starting
 * points, elements are assigned to levels and scale and minimum solved for by least squares in turn (Lloyd's algorithm on a
 * uniform grid). Scales and minima are then rounded to the bits that the format gives them, and the elements assigned to
 * the levels that result.
 *
 * <p>Not thread-safe: it keeps buffers.
 */
final class KQuantEncoder {
    private static final int SIZE = KQuantBlocks.SIZE;
    private static final int GROUP4 = 32;
    private static final int GROUP6 = 16;
    private static final int LEVELS4 = 15;
    private static final int LARGEST6 = 63;

    /** Starting widths of a Q4_K group's grid, relative to its range; narrower grids clip its outermost elements. */
    private static final float[] WIDTHS4 = {1, 0.92f, 0.84f};

    /** Starting levels of the largest element of a Q6_K group. */
    private static final float[] LEVELS6 = {32, 31.5f, 31, 32.5f, 33, 30.5f, 30};

    /** Importance of a column at least, relative to the most important one of its block. */
    private static final float LEAST = 1e-4f;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final float[] values = new float[SIZE];
    private final float[] weights = new float[SIZE];
    private final int[] levels = new int[SIZE];
    private final float[] errors = new float[GROUP4];
    private final float[] scales = new float[SIZE / GROUP6];
    private final float[] minima = new float[SIZE / GROUP4];
    private final int[] scaleCodes = new int[SIZE / GROUP6];
    private final int[] minimumCodes = new int[SIZE / GROUP4];
    private float[] importance = {};
    private int column;

    /**
     * Multiplies the weights of the next block's elements by the importance of their columns, unless that is 0 for all.
     *
     * @param importance of each column of the matrix, not negative
     * @param column of the block's first element
     */
    void weight(float[] importance, int column) {
        this.importance = importance;
        this.column = column;
    }

    /**
     * Encodes a Q4_K block.
     *
     * @return whether all elements are finite, and both scales of the block in 16 bits
     */
    boolean encodeQ4(float[] from, int at, MemorySegment blocks, long block) {
        float unit = load(from, at);
        if (!Float.isFinite(unit)) {
            return false;
        }
        for (int group = 0; group < SIZE / GROUP4; group++) {
            fitWithMinimum(group);
        }
        short scale = half(largest(scales, 0, SIZE / GROUP4) / LARGEST6 * unit);
        short minimum = half(largest(minima, 0, SIZE / GROUP4) / LARGEST6 * unit);
        float step = Float.float16ToFloat(scale);
        float minimumStep = Float.float16ToFloat(minimum);
        long begin = block * KQuantBlocks.Q4_BYTES;
        blocks.set(SHORT, begin, scale);
        blocks.set(SHORT, begin + Short.BYTES, minimum);
        for (int group = 0; group < SIZE / GROUP4; group++) {
            int scaleCode = code(scales[group] * unit, step);
            int minimumCode = code(minima[group] * unit, minimumStep);
            scaleCodes[group] = scaleCode;
            minimumCodes[group] = minimumCode;
            float inverse = inverse(step * scaleCode);
            for (int i = group * GROUP4; i < (group + 1) * GROUP4; i++) {
                levels[i] = clamp((from[at + i] + minimumStep * minimumCode) * inverse, 0, LEVELS4);
            }
        }
        writeCodes(blocks, begin + 2 * Short.BYTES);
        long nibbles = begin + 2 * Short.BYTES + 12;
        for (int i = 0; i < SIZE / 2; i++) {
            int element = i / GROUP4 * 2 * GROUP4 + i % GROUP4;
            blocks.set(BYTE, nibbles + i, (byte) (levels[element] | levels[element + GROUP4] << 4));
        }
        return Float.isFinite(step) && Float.isFinite(minimumStep);
    }

    /** Twelve bytes of 6-bit scales and minima, as {@link KQuantBlocks} reads them. */
    private void writeCodes(MemorySegment blocks, long at) {
        for (int i = 0; i < 4; i++) {
            int scale = scaleCodes[i + 4];
            int minimum = minimumCodes[i + 4];
            blocks.set(BYTE, at + i, (byte) (scaleCodes[i] | scale >> 4 << 6));
            blocks.set(BYTE, at + 4 + i, (byte) (minimumCodes[i] | minimum >> 4 << 6));
            blocks.set(BYTE, at + 8 + i, (byte) (scale & 0xF | (minimum & 0xF) << 4));
        }
    }

    /**
     * Encodes a Q6_K block.
     *
     * @return whether all elements are finite, and the scale of the block in 16 bits
     */
    boolean encodeQ6(float[] from, int at, MemorySegment blocks, long block) {
        float unit = load(from, at);
        if (!Float.isFinite(unit)) {
            return false;
        }
        float largest = 0;
        for (int group = 0; group < SIZE / GROUP6; group++) {
            fitSymmetric(group);
            if (Math.abs(scales[group]) > Math.abs(largest)) {
                largest = scales[group];
            }
        }
        short scale = half(largest / -128 * unit + 0f); // no -0
        float step = Float.float16ToFloat(scale);
        long begin = block * KQuantBlocks.Q6_BYTES;
        long high = begin + SIZE / 2;
        long codes = high + SIZE / 4;
        float inverseStep = inverse(step);
        for (int group = 0; group < SIZE / GROUP6; group++) {
            int code = clamp(scales[group] * unit * inverseStep, -128, 127);
            blocks.set(BYTE, codes + group, (byte) code);
            float inverse = inverse(step * code);
            for (int i = group * GROUP6; i < (group + 1) * GROUP6; i++) {
                levels[i] = clamp(from[at + i] * inverse, -32, 31) + 32;
            }
        }
        blocks.set(SHORT, codes + SIZE / GROUP6, scale);
        for (int side = 0; side < SIZE; side += SIZE / 2) {
            for (int i = 0; i < GROUP4; i++) {
                int first = levels[side + i];
                int second = levels[side + GROUP4 + i];
                int third = levels[side + 2 * GROUP4 + i];
                int fourth = levels[side + 3 * GROUP4 + i];
                long low = begin + side / 2 + i;
                blocks.set(BYTE, low, (byte) (first & 0xF | (third & 0xF) << 4));
                blocks.set(BYTE, low + GROUP4, (byte) (second & 0xF | (fourth & 0xF) << 4));
                int upper = first >> 4 | second >> 4 << 2 | third >> 4 << 4 | fourth >> 4 << 6;
                blocks.set(BYTE, high + side / 4 + i, (byte) upper);
            }
        }
        return Float.isFinite(step);
    }

    /**
     * Loads a block in units of a power of two near its largest element, so that no sum over- or underflows.
     *
     * @return the unit; NaN if an element is not finite
     */
    private float load(float[] from, int at) {
        float largest = 0;
        for (int i = 0; i < SIZE; i++) {
            float magnitude = Math.abs(from[at + i]);
            if (!Float.isFinite(magnitude)) {
                return Float.NaN;
            }
            largest = Math.max(largest, magnitude);
        }
        int exponent = Math.clamp(Math.getExponent(largest), Float.MIN_EXPONENT, Float.MAX_EXPONENT);
        float inverse = Math.scalb(1f, -exponent);
        double squares = 0;
        for (int i = 0; i < SIZE; i++) {
            values[i] = from[at + i] * inverse;
            squares += (double) values[i] * values[i];
        }
        float typical = (float) Math.sqrt(squares / SIZE);
        float most = importance.length == 0 ? 0 : largest(importance, column, SIZE);
        for (int i = 0; i < SIZE; i++) {
            weights[i] = typical + Math.abs(values[i]);
            if (most > 0) {
                weights[i] *= Math.max(importance[column + i] / most, LEAST);
            }
        }
        return Math.scalb(1f, exponent);
    }

    /** Scale and minimum of a Q4_K group: element ≈ scale × level − minimum, with neither below 0. */
    private void fitWithMinimum(int group) {
        int begin = group * GROUP4;
        float low = 0;
        float high = Float.NEGATIVE_INFINITY;
        for (int i = begin; i < begin + GROUP4; i++) {
            low = Math.min(low, values[i]);
            high = Math.max(high, values[i]);
        }
        scales[group] = 0;
        minima[group] = -low;
        if (high <= low) {
            return;
        }
        float least = Float.POSITIVE_INFINITY;
        for (float width : WIDTHS4) {
            float scale = (high - low) * width / LEVELS4;
            float minimum = Math.max(0, -low - (high - low) * (1 - width) / 2);
            for (int round = 0; round < 3; round++) {
                float error = error(begin, scale, minimum);
                if (error < least) {
                    least = error;
                    scales[group] = scale;
                    minima[group] = minimum;
                }
                if (round == 2) {
                    break;
                }
                float sum = 0;
                float sumOfLevels = 0;
                float sumOfSquares = 0;
                float sumOfValues = 0;
                float sumOfProducts = 0;
                for (int i = begin; i < begin + GROUP4; i++) {
                    float weight = weights[i];
                    float level = levels[i];
                    sum += weight;
                    sumOfLevels += weight * level;
                    sumOfSquares += weight * level * level;
                    sumOfValues += weight * values[i];
                    sumOfProducts += weight * level * values[i];
                }
                float determinant = sum * sumOfSquares - sumOfLevels * sumOfLevels;
                if (determinant <= 0) {
                    break; // all elements have the same level
                }
                scale = (sum * sumOfProducts - sumOfLevels * sumOfValues) / determinant;
                minimum = (sumOfLevels * sumOfProducts - sumOfSquares * sumOfValues) / determinant;
                if (minimum < 0) {
                    minimum = 0;
                    scale = sumOfProducts / sumOfSquares;
                }
                if (!(scale > 0)) {
                    break;
                }
            }
        }
    }

    /** The weighted squared error of a Q4_K group; leaves its levels. */
    private float error(int begin, float scale, float minimum) {
        float inverse = 1 / scale;
        for (int i = 0; i < GROUP4; i++) {
            float value = values[begin + i];
            int level = (int) (Math.min(Math.max((value + minimum) * inverse, 0), LEVELS4) + 0.5f);
            levels[begin + i] = level;
            float difference = scale * level - minimum - value;
            errors[i] = weights[begin + i] * difference * difference;
        }
        float even = 0;
        float odd = 0;
        for (int i = 0; i < GROUP4; i += 4) { // four sums at a time: an addition waits for the one before it
            even += errors[i] + errors[i + 1];
            odd += errors[i + 2] + errors[i + 3];
        }
        return even + odd;
    }

    /** Scale of a Q6_K group: element ≈ scale × level, levels −32…31. The sign lets the largest element be −32. */
    private void fitSymmetric(int group) {
        int begin = group * GROUP6;
        float largest = 0;
        for (int i = begin; i < begin + GROUP6; i++) {
            if (Math.abs(values[i]) > Math.abs(largest)) {
                largest = values[i];
            }
        }
        scales[group] = 0;
        if (inverse(largest) == 0) {
            return;
        }
        float most = 0;
        for (float start : LEVELS6) {
            float inverse = -start / largest;
            float products = 0;
            float squares = 0;
            for (int i = begin; i < begin + GROUP6; i++) {
                int level = clamp(values[i] * inverse, -32, 31);
                products += weights[i] * level * values[i];
                squares += weights[i] * level * level;
            }
            // With the best scale for these levels, products / squares, the error shrinks by products² / squares.
            float gain = products * products / squares;
            if (gain > most) {
                most = gain;
                scales[group] = products / squares;
            }
        }
    }

    private static float largest(float[] numbers, int from, int count) {
        float largest = 0;
        for (int i = from; i < from + count; i++) {
            largest = Math.max(largest, numbers[i]);
        }
        return largest;
    }

    private static int code(float value, float step) {
        return clamp(value * inverse(step), 0, LARGEST6);
    }

    private static float inverse(float value) {
        float inverse = 1 / value;
        return Float.isFinite(inverse) ? inverse : 0;
    }

    /** Rounds to nearest, halves up, within bounds. */
    private static int clamp(float value, int least, int most) {
        return (int) (Math.min(Math.max(value, least), most) - least + 0.5f) + least;
    }

    private static short half(float value) {
        return Float.floatToFloat16(value);
    }
}
