package io.llava4j.tensor.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Encodes and decodes GGUF's Q8_0 and Q4_0: {@value #SIZE} neighbouring elements share a 16-bit scale. Q8_0 stores signed
 * bytes; Q4_0 stores nibbles with an offset of 8, the first half of the block in the low nibbles.
 */
final class LegacyBlocks {
    static final int SIZE = 32;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private LegacyBlocks() {}

    /** Decodes a Q8_0 block exactly: 11 bits of a scale and 8 of an element fit the 24 of a float. */
    static void decodeQ8(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * (Short.BYTES + SIZE);
        float scale = Float.float16ToFloat(blocks.get(SHORT, begin));
        for (int i = 0; i < SIZE; i++) {
            into[at + i] = scale * blocks.get(BYTE, begin + Short.BYTES + i);
        }
    }

    /** Decodes a Q4_0 block exactly. */
    static void decodeQ4(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * (Short.BYTES + SIZE / 2);
        float scale = Float.float16ToFloat(blocks.get(SHORT, begin));
        for (int i = 0; i < SIZE / 2; i++) {
            int pair = blocks.get(BYTE, begin + Short.BYTES + i);
            into[at + i] = scale * ((pair & 0xF) - 8);
            into[at + SIZE / 2 + i] = scale * ((pair >> 4 & 0xF) - 8);
        }
    }

    /** Decodes a Q4_1 block {@code [scale, minimum, nibbles]}, rounding the sum once. */
    static void decodeQ4WithMinimum(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * (2 * Short.BYTES + SIZE / 2);
        float scale = Float.float16ToFloat(blocks.get(SHORT, begin));
        float minimum = Float.float16ToFloat(blocks.get(SHORT, begin + Short.BYTES));
        for (int i = 0; i < SIZE; i++) {
            into[at + i] = scale * nibble(blocks, begin + 2 * Short.BYTES, i) + minimum;
        }
    }

    /** Decodes a Q5_0 block {@code [scale, fifth bits, nibbles]} exactly. */
    static void decodeQ5(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * (Short.BYTES + Integer.BYTES + SIZE / 2);
        float scale = Float.float16ToFloat(blocks.get(SHORT, begin));
        for (int i = 0; i < SIZE; i++) {
            into[at + i] = scale * (fiveBits(blocks, begin + Short.BYTES, i) - 16);
        }
    }

    /** Decodes a Q5_1 block {@code [scale, minimum, fifth bits, nibbles]}, rounding the sum once. */
    static void decodeQ5WithMinimum(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * (2 * Short.BYTES + Integer.BYTES + SIZE / 2);
        float scale = Float.float16ToFloat(blocks.get(SHORT, begin));
        float minimum = Float.float16ToFloat(blocks.get(SHORT, begin + Short.BYTES));
        for (int i = 0; i < SIZE; i++) {
            into[at + i] = scale * fiveBits(blocks, begin + 2 * Short.BYTES, i) + minimum;
        }
    }

    /** @param at offset of the fifth bits of all elements, which the nibbles follow */
    private static int fiveBits(MemorySegment blocks, long at, int i) {
        int fifth = blocks.get(BYTE, at + i / 8) >> i % 8 & 1;
        return nibble(blocks, at + Integer.BYTES, i) | fifth << 4;
    }

    /** The low halves of all bytes come before the high ones. */
    private static int nibble(MemorySegment blocks, long at, int i) {
        return blocks.get(BYTE, at + i % (SIZE / 2)) >> 4 * (i / (SIZE / 2)) & 0xF;
    }

    /**
     * Encodes a Q8_0 block: the largest magnitude becomes 127; the other elements are rounded, halves away from zero.
     *
     * @return whether the scale is finite in 16 bits
     */
    static boolean encodeQ8(float[] from, int at, MemorySegment blocks, long block) {
        float largest = 0;
        for (int i = 0; i < SIZE; i++) {
            largest = Math.max(largest, Math.abs(from[at + i]));
        }
        float scale = largest / 127;
        float inverse = scale == 0 ? 0 : 1 / scale;
        long begin = block * (Short.BYTES + SIZE);
        short stored = Float.floatToFloat16(scale);
        blocks.set(SHORT, begin, stored);
        for (int i = 0; i < SIZE; i++) {
            blocks.set(BYTE, begin + Short.BYTES + i, (byte) round(from[at + i] * inverse));
        }
        return Float.isFinite(Float.float16ToFloat(stored));
    }

    /**
     * Encodes a Q4_0 block: the element of the largest magnitude becomes -8; the others are rounded and clamped to 7.
     *
     * @return whether all elements are finite, and the scale in 16 bits
     */
    static boolean encodeQ4(float[] from, int at, MemorySegment blocks, long block) {
        float largest = 0;
        boolean finite = true;
        for (int i = 0; i < SIZE; i++) {
            float value = from[at + i];
            finite &= Float.isFinite(value);
            if (Math.abs(value) > Math.abs(largest)) {
                largest = value;
            }
        }
        float scale = largest / -8;
        float inverse = scale == 0 ? 0 : 1 / scale;
        long begin = block * (Short.BYTES + SIZE / 2);
        short stored = Float.floatToFloat16(scale);
        blocks.set(SHORT, begin, stored);
        for (int i = 0; i < SIZE / 2; i++) {
            int low = nibble(from[at + i] * inverse);
            int high = nibble(from[at + SIZE / 2 + i] * inverse);
            blocks.set(BYTE, begin + Short.BYTES + i, (byte) (low | high << 4));
        }
        return finite && Float.isFinite(Float.float16ToFloat(stored));
    }

    private static int nibble(float steps) {
        return Math.min(15, (int) (steps + 8.5f));
    }

    private static int round(float value) {
        float magnitude = Math.abs(value);
        int whole = (int) magnitude;
        int rounded = magnitude - whole >= 0.5f ? whole + 1 : whole;
        return value < 0 ? -rounded : rounded;
    }
}
