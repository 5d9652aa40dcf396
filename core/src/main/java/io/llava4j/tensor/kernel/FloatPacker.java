package io.llava4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Moves a row's elements to the lane of the row: a transpose of 32-bit or 16-bit floats. Works on stretches of the rows that
 * fit the first cache, in squares whose lines are 64 bits.
 */
final class FloatPacker extends Packer {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int ROWS = PackedLayout.F32.tileRows();

    /** 64-bit numbers of a row that are transposed at a time. */
    private static final int STRETCH = 64;

    private static final long LOW_HALF = 0xFFFF_FFFFL;
    private static final long EVEN_SHORTS = 0xFFFF_0000_FFFFL;

    private final int bytes;

    /** Elements of a 64-bit number. */
    private final int side;

    private final long[] from = new long[ROWS * STRETCH];
    private final long[] to = new long[ROWS * STRETCH];

    FloatPacker(int bytes) {
        this.bytes = bytes;
        this.side = Long.BYTES / bytes;
    }

    @Override
    int pack(MemorySegment rows, int count, int in, MemorySegment target) {
        int whole = in / side;
        long columnBytes = (long) ROWS * bytes;
        for (int begin = 0; begin < whole; begin += STRETCH) {
            int width = Math.min(STRETCH, whole - begin);
            for (int row = 0; row < count; row++) {
                long at = (long) row * in * bytes + (long) begin * Long.BYTES;
                MemorySegment.copy(rows, LONG, at, from, row * STRETCH, width);
            }
            if (side == 2) {
                transposeInts(from, to, width);
            } else {
                transposeShorts(from, to, width);
            }
            MemorySegment.copy(to, 0, target, LONG, begin * side * columnBytes, ROWS * width);
        }
        for (int column = whole * side; column < in; column++) {
            for (int row = 0; row < count; row++) {
                long at = ((long) row * in + column) * bytes;
                MemorySegment.copy(rows, BYTE, at, target, BYTE, column * columnBytes + (long) row * bytes, bytes);
            }
        }
        return -1;
    }

    private static void transposeInts(long[] from, long[] to, int width) {
        for (int row = 0; row < ROWS; row += 2) {
            int first = row * STRETCH;
            int at = row / 2;
            for (int i = 0; i < width; i++, at += ROWS) {
                long a = from[first + i];
                long b = from[first + STRETCH + i];
                to[at] = a & LOW_HALF | b << 32;
                to[at + ROWS / 2] = a >>> 32 | b & ~LOW_HALF;
            }
        }
    }

    private static void transposeShorts(long[] from, long[] to, int width) {
        for (int row = 0; row < ROWS; row += 4) {
            int first = row * STRETCH;
            int at = row / 4;
            for (int i = 0; i < width; i++, at += ROWS) {
                long a = from[first + i];
                long b = from[first + STRETCH + i];
                long c = from[first + 2 * STRETCH + i];
                long d = from[first + 3 * STRETCH + i];
                long evenAb = a & EVEN_SHORTS | (b & EVEN_SHORTS) << 16;
                long oddAb = a >>> 16 & EVEN_SHORTS | b & ~EVEN_SHORTS;
                long evenCd = c & EVEN_SHORTS | (d & EVEN_SHORTS) << 16;
                long oddCd = c >>> 16 & EVEN_SHORTS | d & ~EVEN_SHORTS;
                to[at] = evenAb & LOW_HALF | evenCd << 32;
                to[at + ROWS / 4] = oddAb & LOW_HALF | oddCd << 32;
                to[at + ROWS / 2] = evenAb >>> 32 | evenCd & ~LOW_HALF;
                to[at + 3 * ROWS / 4] = oddAb >>> 32 | oddCd & ~LOW_HALF;
            }
        }
    }
}
