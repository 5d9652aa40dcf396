package io.llava4j.tensor.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Decodes blocks of llama.cpp's K-quants: {@value #SIZE} neighbouring elements share a 16-bit scale, which multiplies the
 * scales of groups of 16 or 32 elements. Q4_K and Q5_K subtract a minimum per group, stored in the same way.
 */
final class KQuantBlocks {
    static final int SIZE = 256;
    static final int Q4_BYTES = 144;
    static final int Q5_BYTES = 176;
    static final int Q6_BYTES = 210;

    /** Offset of the 6-bit scales and minima of eight groups of 32 in Q4_K and Q5_K, after the two 16-bit scales. */
    private static final int SCALES = 4;

    private static final int SCALES_BYTES = 12;
    private static final int GROUP = 32;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private KQuantBlocks() {}

    /** Decodes a Q4_K block of nibbles; even groups are the low nibbles. */
    static void decodeQ4(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * Q4_BYTES;
        decodeWithMinimum(blocks, begin, begin + SCALES + SCALES_BYTES, -1, into, at);
    }

    /** Decodes a Q5_K block: as Q4_K, with the fifth bits stored separately. */
    static void decodeQ5(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * Q5_BYTES;
        long fifth = begin + SCALES + SCALES_BYTES;
        decodeWithMinimum(blocks, begin, fifth + SIZE / 8, fifth, into, at);
    }

    /** @param fifth offset of the fifth bits, one byte for element i of all groups; -1 if there are none */
    private static void decodeWithMinimum(
            MemorySegment blocks, long begin, long nibbles, long fifth, float[] into, int at) {
        float scale = half(blocks, begin);
        float scaleOfMinima = half(blocks, begin + Short.BYTES);
        for (int group = 0; group < SIZE / GROUP; group++) {
            float step = scale * sixBits(blocks, begin + SCALES, group, 0);
            float minimum = scaleOfMinima * sixBits(blocks, begin + SCALES, group, 4);
            for (int i = 0; i < GROUP; i++) {
                int pair = unsigned(blocks, nibbles + (group / 2) * GROUP + i);
                int value = pair >> 4 * (group % 2) & 0xF;
                if (fifth >= 0) {
                    value |= (unsigned(blocks, fifth + i) >> group & 1) << 4;
                }
                into[at + group * GROUP + i] = step * value - minimum;
            }
        }
    }

    /**
     * The 6-bit scale or minimum of a group. For the first four groups, bytes 0 to 3 hold scales and bytes 4 to 7 minima;
     * for the others, bytes 8 to 11 hold the low four bits, and the upper bits of bytes 0 to 7 hold the high two.
     *
     * @param offset 0 for the scale, 4 for the minimum
     */
    private static int sixBits(MemorySegment blocks, long scales, int group, int offset) {
        if (group < 4) {
            return unsigned(blocks, scales + offset + group) & 0x3F;
        }
        int low = unsigned(blocks, scales + 4 + group) >> offset & 0xF;
        return low | unsigned(blocks, scales + offset + group - 4) >> 6 << 4;
    }

    /** Decodes a Q6_K block: four low bits, two high bits, a signed scale per 16 elements, and the scale of the block. */
    static void decodeQ6(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * Q6_BYTES;
        long high = begin + SIZE / 2;
        long scales = high + SIZE / 4;
        float scale = half(blocks, scales + SIZE / 16);
        for (int i = 0; i < SIZE; i++) {
            int side = i / 128; // the two halves are packed alike, one after the other
            int quarter = i % 128 / GROUP;
            int column = i % GROUP;
            int low = unsigned(blocks, begin + side * 64 + quarter % 2 * GROUP + column) >> quarter / 2 * 4 & 0xF;
            int upper = unsigned(blocks, high + side * GROUP + column) >> 2 * quarter & 3;
            float step = scale * blocks.get(ValueLayout.JAVA_BYTE, scales + i / 16);
            into[at + i] = step * ((low | upper << 4) - 32);
        }
    }

    private static float half(MemorySegment data, long at) {
        return Float.float16ToFloat(data.get(SHORT, at));
    }

    private static int unsigned(MemorySegment data, long at) {
        return Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, at));
    }
}
