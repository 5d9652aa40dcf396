package io.llava4j.tensor.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Encodes Q4_0 blocks so that the squared error, weighted by the importance of the columns, is small: of several scales,
 * each brought to its least squares, the one with the least weighted error is taken. The scale of {@link
 * LegacyBlocks#encodeQ4} is among them, so no block has a larger error than without weights.
 *
 * <p>llama.cpp weights an element by {@code importance * sqrt(mean square of the row + element squared)}; so does this,
 * with the mean square of the block.
 */
final class WeightedQ4Encoder implements BlockEncoder {
    private static final int SIZE = LegacyBlocks.SIZE;
    private static final int BLOCK_BYTES = Short.BYTES + SIZE / 2;

    /** Starting levels of the largest element, of which the usual one is -8. */
    private static final float[] STARTS = {-8, -7.2f, -7.4f, -7.6f, -7.8f, -8.2f, -8.4f, -8.6f, -8.8f, 7, 7.4f, -6.8f};

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final float[] importance;
    private final double[] weights = new double[SIZE];
    private final int[] levels = new int[SIZE];

    /** @param importance of each column, not negative */
    WeightedQ4Encoder(float[] importance) {
        this.importance = importance;
    }

    @Override
    public boolean encode(float[] from, int at, MemorySegment blocks, long block) {
        if (!LegacyBlocks.encodeQ4(from, at, blocks, block)) {
            return false;
        }
        weigh(from, at, (int) (block * SIZE % importance.length));
        float largest = 0;
        for (int i = at; i < at + SIZE; i++) {
            largest = Math.abs(from[i]) > Math.abs(largest) ? from[i] : largest;
        }
        long begin = block * BLOCK_BYTES;
        short plain = blocks.get(SHORT, begin);
        double least = error(from, at, plain);
        short best = plain;
        for (float start : STARTS) {
            double products = 0;
            double squares = 0;
            for (int i = 0; i < SIZE; i++) {
                double level = Math.clamp(Math.rint(from[at + i] * (double) start / largest), -8, 7);
                products += weights[i] * level * from[at + i];
                squares += weights[i] * level * level;
            }
            short scale = Float.floatToFloat16((float) (products / squares));
            double error = error(from, at, scale);
            if (error < least) { // never for NaN
                least = error;
                best = scale;
            }
        }
        if (best != plain) {
            error(from, at, best);
            blocks.set(SHORT, begin, best);
            for (int i = 0; i < SIZE / 2; i++) {
                int pair = levels[i] + 8 | levels[SIZE / 2 + i] + 8 << 4;
                blocks.set(ValueLayout.JAVA_BYTE, begin + Short.BYTES + i, (byte) pair);
            }
        }
        return true;
    }

    private void weigh(float[] from, int at, int column) {
        double squares = 0;
        for (int i = at; i < at + SIZE; i++) {
            squares += (double) from[i] * from[i];
        }
        for (int i = 0; i < SIZE; i++) {
            double value = from[at + i];
            weights[i] = importance[column + i] * Math.sqrt(squares / SIZE + value * value);
        }
    }

    /** The weighted squared error with that scale; leaves the levels. */
    private double error(float[] from, int at, short half) {
        double scale = Float.float16ToFloat(half);
        double error = 0;
        for (int i = 0; i < SIZE; i++) {
            int level = scale == 0 ? 0 : (int) Math.clamp(Math.rint(from[at + i] / scale), -8, 7);
            levels[i] = level;
            double difference = scale * level - from[at + i];
            error += weights[i] * difference * difference;
        }
        return error;
    }
}
