package io.llava4j.tensor.format;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Blocks of llama.cpp's K-quants, which are read but not written: {@value #SIZE} neighbouring elements share a 16-bit
 * scale, by which the scales of their 16 or 32 smaller groups are multiplied in turn. Q4_K and Q5_K subtract a minimum
 * that is stored in the same way.
 */
final class KQuantBlocks {
    static final int SIZE = 256;
    static final int Q4_BYTES = 144;
    static final int Q5_BYTES = 176;
    static final int Q6_BYTES = 210;

    /** Where Q4_K and Q5_K keep 6-bit scales and minima of eight groups of 32, behind scale and scale of the minima. */
    private static final int SCALES = 4;

    private static final int SCALES_BYTES = 12;
    private static final int GROUP = 32;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private KQuantBlocks() {}

    /** Elements of a Q4_K block: nibbles, those of even groups the low ones. */
    static void decodeQ4(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * Q4_BYTES;
        decodeWithMinimum(blocks, begin, begin + SCALES + SCALES_BYTES, -1, into, at);
    }

    /** Elements of a Q5_K block: as Q4_K, with a fifth bit of each element apart. */
    static void decodeQ5(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * Q5_BYTES;
        long fifth = begin + SCALES + SCALES_BYTES;
        decodeWithMinimum(blocks, begin, fifth + SIZE / 8, fifth, into, at);
    }

    /** @param fifth place of the fifth bits, a byte for element i of all groups; -1 if there are none */
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
     * A 6-bit number of a group. Of the first four groups, scales stand in bytes 0 to 3 and minima in bytes 4 to 7; of the
     * others, bytes 8 to 11 hold the low four bits, and the upper two stand above the first four groups'.
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

    /** Elements of a Q6_K block: four low bits, two high bits, a signed scale for each 16, and the block's scale last. */
    static void decodeQ6(MemorySegment blocks, long block, float[] into, int at) {
        long begin = block * Q6_BYTES;
        long high = begin + SIZE / 2;
        long scales = high + SIZE / 4;
        float scale = half(blocks, scales + SIZE / 16);
        for (int i = 0; i < SIZE; i++) {
            int side = i / 128; // the two halves are packed alike, one behind the other
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
