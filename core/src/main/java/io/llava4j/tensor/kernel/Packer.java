package io.llava4j.tensor.kernel;

import io.llava4j.tensor.format.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Brings rows of a file's format into a tile of a packed matrix. */
abstract class Packer {
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    /** Bytes from an int of a row to its next. */
    static final int VECTOR = 64;

    static final int LOW_NIBBLES = 0x0F0F0F0F;
    private static final int LOW_BITS = 0x01010101;

    static Packer of(BlockFormat format) {
        return switch (format) {
            case F32, F16, BF16 -> new FloatPacker(format.blockBytes());
            case Q4_K, Q5_K, Q6_K -> new KQuantPacker(format);
            default -> new LegacyPacker(format);
        };
    }

    /**
     * Packs the rows of a tile.
     *
     * @param rows whole rows, at most as many as a tile has
     * @param target a tile of zeros
     * @return the first row with a scale that is not finite; -1 if there is none
     */
    abstract int pack(MemorySegment rows, int count, int in, MemorySegment target);

    /** Stores a 16-bit scale; returns whether it is finite. */
    static boolean putScale(short scale, MemorySegment target, long at) {
        target.set(SHORT, at, scale);
        return (scale & 0x7C00) != 0x7C00;
    }

    /** Four bits, the lowest first, as bit {@code shift} of four bytes. */
    static int spread(int bits, int shift) {
        return ((bits & 0xF) * 0x00204081 & LOW_BITS) << shift;
    }

    /** Blocks of 32 elements, two to a unit. */
    private static final class LegacyPacker extends Packer {
        private final BlockFormat format;
        private final PackedLayout layout;

        LegacyPacker(BlockFormat format) {
            this.format = format;
            this.layout = PackedLayout.of(format);
        }

        @Override
        int pack(MemorySegment rows, int count, int in, MemorySegment target) {
            int blocks = in / PackedLayout.BLOCK;
            for (int block = 0; block < blocks; block++) {
                long unit = (long) (block / 2) * layout.unitBytes();
                for (int row = 0; row < count; row++) {
                    long from = ((long) row * blocks + block) * format.blockBytes();
                    if (!packBlock(rows, from, target, unit, block % 2, row)) {
                        return row;
                    }
                }
            }
            return -1;
        }

        private boolean packBlock(MemorySegment rows, long from, MemorySegment target, long unit, int block, int row) {
            long at = from + Short.BYTES;
            long scaleAt = unit + block * 32 + row * Short.BYTES;
            boolean finite = putScale(rows.get(SHORT, from), target, scaleAt);
            if (format == BlockFormat.Q4_1 || format == BlockFormat.Q5_1) {
                finite &= putScale(rows.get(SHORT, at), target, scaleAt + 64);
                at += Short.BYTES;
            }
            long elements = unit + layout.elementsAt(block) + row * Integer.BYTES;
            switch (format) {
                case Q4_0, Q4_1 -> packNibbles(rows, at, target, elements);
                case Q5_0 -> packFiveBits(rows, at, target, elements, 0x70707070);
                case Q5_1 -> packFiveBits(rows, at, target, elements, 0);
                case Q8_0 -> packBytes(rows, at, target, elements);
                default -> throw new IllegalStateException(format.name());
            }
            return finite;
        }

        private static void packNibbles(MemorySegment rows, long from, MemorySegment target, long to) {
            for (int pair = 0; pair < 2; pair++) {
                int first = rows.get(INT, from + pair * 8L);
                int second = rows.get(INT, from + pair * 8L + 4);
                target.set(INT, to + pair * VECTOR, first & LOW_NIBBLES | (second & LOW_NIBBLES) << 4);
                target.set(INT, to + (pair + 2) * VECTOR, first >>> 4 & LOW_NIBBLES | second & ~LOW_NIBBLES);
            }
        }

        /** Adds 112 to the elements of Q5_0: 16 less, and 128 for unsigned bytes. */
        private static void packFiveBits(MemorySegment rows, long from, MemorySegment target, long to, int added) {
            int fifth = rows.get(INT, from);
            for (int i = 0; i < 4; i++) {
                int nibbles = rows.get(INT, from + Integer.BYTES + i * 4L);
                int low = nibbles & LOW_NIBBLES | spread(fifth >>> 4 * i, 4);
                int high = nibbles >>> 4 & LOW_NIBBLES | spread(fifth >>> 16 + 4 * i, 4);
                target.set(INT, to + i * VECTOR, low + added);
                target.set(INT, to + (i + 4) * VECTOR, high + added);
            }
        }

        private static void packBytes(MemorySegment rows, long from, MemorySegment target, long to) {
            for (int i = 0; i < 8; i++) {
                target.set(INT, to + i * VECTOR, rows.get(INT, from + i * 4L) ^ 0x80808080);
            }
        }
    }
}
