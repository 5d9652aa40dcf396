package io.llava4j.tensor.kernel;

import io.llava4j.tensor.format.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Brings rows of a file's format into a tile of a packed matrix. Reuses its buffers: for one thread. */
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
            default -> new SmallBlockPacker(format);
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

    /** Four bits, the lowest first, as bit {@code shift} of four bytes. */
    static int spread(int bits, int shift) {
        return ((bits & 0xF) * 0x00204081 & LOW_BITS) << shift;
    }

    /** Packs blocks a row at a time, in arrays, which Java reads much faster than memory segments. */
    abstract static class OfBlocks extends Packer {
        private static final VarHandle INTS =
                MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
        private static final VarHandle SHORTS =
                MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.LITTLE_ENDIAN);

        final BlockFormat format;
        final PackedLayout layout;
        private byte[] row = new byte[0];
        private byte[] tile = new byte[0];

        OfBlocks(BlockFormat format) {
            this.format = format;
            this.layout = PackedLayout.of(format);
        }

        @Override
        final int pack(MemorySegment rows, int count, int in, MemorySegment target) {
            int blocks = in / format.blockSize();
            int rowBytes = Math.toIntExact(rows.byteSize() / count);
            int tileBytes = Math.toIntExact(target.byteSize());
            if (row.length < rowBytes || tile.length != tileBytes) {
                row = new byte[rowBytes];
                tile = new byte[tileBytes];
            }
            if (count < layout.tileRows()) {
                Arrays.fill(tile, (byte) 0);
            }
            for (int i = 0; i < count; i++) {
                MemorySegment.copy(rows, BYTE, (long) i * rowBytes, row, 0, rowBytes);
                if (!packRow(row, blocks, tile, i)) {
                    return i;
                }
            }
            MemorySegment.copy(tile, 0, target, BYTE, 0, tileBytes);
            return -1;
        }

        /**
         * Packs the blocks of a row.
         *
         * @param to the tile; every row writes the same places but for its lane
         * @return whether all scales are finite
         */
        abstract boolean packRow(byte[] from, int blocks, byte[] to, int row);

        static int getInt(byte[] from, int at) {
            return (int) INTS.get(from, at);
        }

        static void putInt(byte[] to, int at, int value) {
            INTS.set(to, at, value);
        }

        /** Copies a 16-bit scale; returns whether it is finite. */
        static boolean copyScale(byte[] from, int at, byte[] to, int target) {
            short scale = (short) SHORTS.get(from, at);
            SHORTS.set(to, target, scale);
            return (scale & 0x7C00) != 0x7C00;
        }
    }
}
