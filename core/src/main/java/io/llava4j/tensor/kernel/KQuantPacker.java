package io.llava4j.tensor.kernel;

import io.llava4j.tensor.format.BlockFormat;

/** Packs llama.cpp's K-quants, whose blocks of 256 elements are a unit each. */
final class KQuantPacker extends Packer.OfBlocks {
    private static final int BLOCKS = 8;
    private static final int LOW_BITS = 0x01010101;
    private static final int LOW_PAIRS = 0x03030303;

    KQuantPacker(BlockFormat format) {
        super(format);
    }

    @Override
    boolean packRow(byte[] from, int blocks, byte[] to, int row) {
        boolean finite = true;
        for (int unit = 0; unit < blocks; unit++) {
            int at = unit * format.blockBytes();
            int target = unit * layout.unitBytes();
            finite &= format == BlockFormat.Q6_K
                    ? packQ6(from, at, to, target, row)
                    : packWithMinima(from, at, to, target, row);
        }
        return finite;
    }

    private boolean packWithMinima(byte[] rows, int from, byte[] target, int unit, int row) {
        boolean finite = copyScale(rows, from, target, unit + row * Short.BYTES);
        finite &= copyScale(rows, from + Short.BYTES, target, unit + 32 + row * Short.BYTES);
        int scales = from + 2 * Short.BYTES;
        for (int block = 0; block < BLOCKS; block++) {
            int small = unit + layout.smallScalesAt(block) + row;
            target[small] = (byte) sixBits(rows, scales, block, 0);
            target[small + 16] = (byte) sixBits(rows, scales, block, 4);
        }
        int fifth = scales + 12;
        int nibbles = format == BlockFormat.Q4_K ? fifth : fifth + PackedLayout.BLOCK;
        for (int block = 0; block < BLOCKS; block++) {
            int elements = unit + layout.elementsAt(block) + row * Integer.BYTES;
            if (format == BlockFormat.Q4_K) {
                packFourBits(rows, nibbles, block, target, elements);
            } else {
                packFiveBits(rows, nibbles, fifth, block, target, elements);
            }
        }
        return finite;
    }

    /** Four elements of a block, in bytes; the blocks of a pair share bytes. */
    private static int fourBits(byte[] rows, int nibbles, int block, int vector) {
        int pair = getInt(rows, nibbles + block / 2 * PackedLayout.BLOCK + vector * 4);
        return pair >>> 4 * (block % 2) & LOW_NIBBLES;
    }

    private static void packFourBits(byte[] rows, int nibbles, int block, byte[] target, int to) {
        for (int i = 0; i < 4; i++) {
            int low = fourBits(rows, nibbles, block, 2 * i);
            int high = fourBits(rows, nibbles, block, 2 * i + 1);
            putInt(target, to + i * VECTOR, low | high << 4);
        }
    }

    private static void packFiveBits(byte[] rows, int nibbles, int fifth, int block, byte[] target, int to) {
        for (int i = 0; i < 8; i++) {
            int high = (getInt(rows, fifth + i * 4) >>> block & LOW_BITS) << 4;
            putInt(target, to + i * VECTOR, fourBits(rows, nibbles, block, i) | high);
        }
    }

    /**
     * The 6-bit scale or minimum of a block: of the first four in bytes 0 to 7; of the others the low four bits in bytes 8
     * to 11 and the high two on top of bytes 0 to 7.
     *
     * @param offset 0 for the scale, 4 for the minimum
     */
    private static int sixBits(byte[] rows, int scales, int block, int offset) {
        if (block < 4) {
            return rows[scales + offset + block] & 0x3F;
        }
        int low = rows[scales + 4 + block] >> offset & 0xF;
        return low | (rows[scales + offset + block - 4] & 0xC0) >> 2;
    }

    /** Four low bits, two high bits, 16 signed scales, the scale; adds 96 to the elements: 32 less, and 128. */
    private boolean packQ6(byte[] rows, int from, byte[] target, int unit, int row) {
        int high = from + 128;
        int scales = high + 64;
        for (int block = 0; block < BLOCKS; block++) {
            int small = unit + layout.smallScalesAt(block) + row;
            target[small] = rows[scales + 2 * block];
            target[small + 16] = rows[scales + 2 * block + 1];
            int side = block / 4;
            int quarter = block % 4;
            int nibbles = from + side * 64 + quarter % 2 * PackedLayout.BLOCK;
            int elements = unit + layout.elementsAt(block) + row * Integer.BYTES;
            for (int i = 0; i < 8; i++) {
                int low = getInt(rows, nibbles + i * 4) >>> quarter / 2 * 4 & LOW_NIBBLES;
                int upper = getInt(rows, high + side * 32 + i * 4) >>> 2 * quarter & LOW_PAIRS;
                putInt(target, elements + i * VECTOR, (low | upper << 4) + 0x60606060);
            }
        }
        return copyScale(rows, scales + 16, target, unit + row * Short.BYTES);
    }
}
