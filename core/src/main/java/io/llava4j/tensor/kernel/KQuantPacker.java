package io.llava4j.tensor.kernel;

import io.llava4j.tensor.format.BlockFormat;
import java.lang.foreign.MemorySegment;

/** Packs llama.cpp's K-quants, whose blocks of 256 elements are a unit each. */
final class KQuantPacker extends Packer {
    private static final int BLOCKS = 8;
    private static final int LOW_BITS = 0x01010101;
    private static final int LOW_PAIRS = 0x03030303;

    private final BlockFormat format;
    private final PackedLayout layout;

    KQuantPacker(BlockFormat format) {
        this.format = format;
        this.layout = PackedLayout.of(format);
    }

    @Override
    int pack(MemorySegment rows, int count, int in, MemorySegment target) {
        int units = in / format.blockSize();
        for (int unit = 0; unit < units; unit++) {
            long to = (long) unit * layout.unitBytes();
            for (int row = 0; row < count; row++) {
                long from = ((long) row * units + unit) * format.blockBytes();
                boolean finite = format == BlockFormat.Q6_K
                        ? packQ6(rows, from, target, to, row)
                        : packWithMinima(rows, from, target, to, row);
                if (!finite) {
                    return row;
                }
            }
        }
        return -1;
    }

    private boolean packWithMinima(MemorySegment rows, long from, MemorySegment target, long unit, int row) {
        boolean finite = putScale(rows.get(SHORT, from), target, unit + row * Short.BYTES);
        finite &= putScale(rows.get(SHORT, from + Short.BYTES), target, unit + 32 + row * Short.BYTES);
        long scales = from + 2 * Short.BYTES;
        for (int block = 0; block < BLOCKS; block++) {
            long small = unit + layout.smallScalesAt(block) + row;
            target.set(BYTE, small, (byte) sixBits(rows, scales, block, 0));
            target.set(BYTE, small + 16, (byte) sixBits(rows, scales, block, 4));
        }
        long fifth = scales + 12;
        long nibbles = format == BlockFormat.Q4_K ? fifth : fifth + PackedLayout.BLOCK;
        for (int block = 0; block < BLOCKS; block++) {
            long elements = unit + layout.elementsAt(block) + row * Integer.BYTES;
            if (format == BlockFormat.Q4_K) {
                packFourBits(rows, nibbles, block, target, elements);
            } else {
                packFiveBits(rows, nibbles, fifth, block, target, elements);
            }
        }
        return finite;
    }

    /** Four elements of a block, in bytes; the blocks of a pair share bytes. */
    private static int fourBits(MemorySegment rows, long nibbles, int block, int vector) {
        int pair = rows.get(INT, nibbles + block / 2 * PackedLayout.BLOCK + vector * 4L);
        return pair >>> 4 * (block % 2) & LOW_NIBBLES;
    }

    private static void packFourBits(MemorySegment rows, long nibbles, int block, MemorySegment target, long to) {
        for (int i = 0; i < 4; i++) {
            int low = fourBits(rows, nibbles, block, 2 * i);
            int high = fourBits(rows, nibbles, block, 2 * i + 1);
            target.set(INT, to + i * VECTOR, low | high << 4);
        }
    }

    private static void packFiveBits(
            MemorySegment rows, long nibbles, long fifth, int block, MemorySegment target, long to) {
        for (int i = 0; i < 8; i++) {
            int high = (rows.get(INT, fifth + i * 4L) >>> block & LOW_BITS) << 4;
            target.set(INT, to + i * VECTOR, fourBits(rows, nibbles, block, i) | high);
        }
    }

    /**
     * The 6-bit scale or minimum of a block: of the first four in bytes 0 to 7; of the others the low four bits in bytes 8
     * to 11 and the high two on top of bytes 0 to 7.
     *
     * @param offset 0 for the scale, 4 for the minimum
     */
    private static int sixBits(MemorySegment rows, long scales, int block, int offset) {
        if (block < 4) {
            return rows.get(BYTE, scales + offset + block) & 0x3F;
        }
        int low = rows.get(BYTE, scales + 4 + block) >> offset & 0xF;
        return low | (rows.get(BYTE, scales + offset + block - 4) & 0xC0) >> 2;
    }

    /** Four low bits, two high bits, 16 signed scales, the scale; adds 96 to the elements: 32 less, and 128. */
    private boolean packQ6(MemorySegment rows, long from, MemorySegment target, long unit, int row) {
        long high = from + 128;
        long scales = high + 64;
        for (int block = 0; block < BLOCKS; block++) {
            long small = unit + layout.smallScalesAt(block) + row;
            target.set(BYTE, small, rows.get(BYTE, scales + 2 * block));
            target.set(BYTE, small + 16, rows.get(BYTE, scales + 2 * block + 1));
            int side = block / 4;
            int quarter = block % 4;
            long nibbles = from + side * 64 + quarter % 2 * PackedLayout.BLOCK;
            long elements = unit + layout.elementsAt(block) + row * Integer.BYTES;
            for (int i = 0; i < 8; i++) {
                int low = rows.get(INT, nibbles + i * 4L) >>> quarter / 2 * 4 & LOW_NIBBLES;
                int upper = rows.get(INT, high + side * 32 + i * 4L) >>> 2 * quarter & LOW_PAIRS;
                target.set(INT, elements + i * VECTOR, (low | upper << 4) + 0x60606060);
            }
        }
        return putScale(rows.get(SHORT, scales + 16), target, unit + row * Short.BYTES);
    }
}
