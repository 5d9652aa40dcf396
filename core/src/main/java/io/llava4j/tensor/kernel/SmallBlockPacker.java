package io.llava4j.tensor.kernel;

import io.llava4j.tensor.format.BlockFormat;

/** Packs blocks of 32 elements, two to a unit. */
final class SmallBlockPacker extends Packer.OfBlocks {
    SmallBlockPacker(BlockFormat format) {
        super(format);
    }

    @Override
    boolean packRow(byte[] from, int blocks, byte[] to, int row) {
        return switch (format) {
            case Q4_0, Q4_1 -> packNibbles(from, blocks, to, row);
            case Q5_0 -> packFiveBits(from, blocks, to, row, 0x70707070);
            case Q5_1 -> packFiveBits(from, blocks, to, row, 0);
            case Q8_0 -> packBytes(from, blocks, to, row);
            default -> throw new IllegalStateException(format.name());
        };
    }

    private int scaleAt(int block, int row) {
        return block / 2 * layout.unitBytes() + block % 2 * 32 + row * Short.BYTES;
    }

    private int elementsAt(int block, int row) {
        return block / 2 * layout.unitBytes() + layout.elementsAt(block % 2) + row * Integer.BYTES;
    }

    /** Copies the scale, and the minimum after it; returns whether they are finite. */
    private boolean copyScales(byte[] from, int at, byte[] to, int block, int row) {
        int target = scaleAt(block, row);
        boolean finite = copyScale(from, at, to, target);
        return layout.hasMinima() ? finite & copyScale(from, at + Short.BYTES, to, target + VECTOR) : finite;
    }

    private int headerBytes() {
        return layout.hasMinima() ? 2 * Short.BYTES : Short.BYTES;
    }

    private boolean packNibbles(byte[] from, int blocks, byte[] to, int row) {
        boolean finite = true;
        int header = headerBytes();
        for (int block = 0, at = 0; block < blocks; block++, at += format.blockBytes()) {
            finite &= copyScales(from, at, to, block, row);
            int target = elementsAt(block, row);
            for (int pair = 0; pair < 2; pair++) {
                int first = getInt(from, at + header + pair * 8);
                int second = getInt(from, at + header + pair * 8 + 4);
                putInt(to, target + pair * VECTOR, first & LOW_NIBBLES | (second & LOW_NIBBLES) << 4);
                putInt(to, target + (pair + 2) * VECTOR, first >>> 4 & LOW_NIBBLES | second & ~LOW_NIBBLES);
            }
        }
        return finite;
    }

    /** Adds 112 to the elements of Q5_0: 16 less, and 128 for unsigned bytes. */
    private boolean packFiveBits(byte[] from, int blocks, byte[] to, int row, int added) {
        boolean finite = true;
        int header = headerBytes();
        for (int block = 0, at = 0; block < blocks; block++, at += format.blockBytes()) {
            finite &= copyScales(from, at, to, block, row);
            int target = elementsAt(block, row);
            int fifth = getInt(from, at + header);
            for (int i = 0; i < 4; i++) {
                int nibbles = getInt(from, at + header + Integer.BYTES + i * 4);
                int low = nibbles & LOW_NIBBLES | spread(fifth >>> 4 * i, 4);
                int high = nibbles >>> 4 & LOW_NIBBLES | spread(fifth >>> 16 + 4 * i, 4);
                putInt(to, target + i * VECTOR, low + added);
                putInt(to, target + (i + 4) * VECTOR, high + added);
            }
        }
        return finite;
    }

    private boolean packBytes(byte[] from, int blocks, byte[] to, int row) {
        boolean finite = true;
        for (int block = 0, at = 0; block < blocks; block++, at += format.blockBytes()) {
            finite &= copyScales(from, at, to, block, row);
            int target = elementsAt(block, row);
            for (int i = 0; i < 8; i++) {
                putInt(to, target + i * VECTOR, getInt(from, at + Short.BYTES + i * 4) ^ 0x80808080);
            }
        }
        return finite;
    }
}
