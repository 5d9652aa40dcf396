package io.llava4j.tensor.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Memory of a thread that the code reads sizes and constants from, with room for what does not fit the registers. */
final class Arguments {
    static final int UNITS = 0;
    static final int TILES = 8;

    /** Bytes from a column of products to the next. */
    static final int STRIDE = 16;

    static final int NIBBLES = 64;
    static final int ONES = 96;
    static final int SIGN_BITS = 128;
    static final int EIGHTS = 160;
    static final int SUMS = 256;

    /** Tiles of integer sums, {@value #TILE_BYTES} bytes each. */
    static final int INTEGER_SUMS = 1024;

    static final int TILE_BYTES = 1024;

    private static final int BYTES = INTEGER_SUMS + 4 * TILE_BYTES;
    private static final int VECTOR = 32;

    private static final ThreadLocal<MemorySegment> OF_THREAD = ThreadLocal.withInitial(Arguments::create);

    private Arguments() {}

    private static MemorySegment create() {
        MemorySegment memory = Arena.ofAuto().allocate(BYTES, 64);
        for (int i = 0; i < VECTOR; i += Integer.BYTES) {
            memory.set(ValueLayout.JAVA_INT, NIBBLES + i, 0x0F0F0F0F);
            memory.set(ValueLayout.JAVA_INT, ONES + i, 0x00010001);
            memory.set(ValueLayout.JAVA_INT, SIGN_BITS + i, 0x80808080);
            memory.set(ValueLayout.JAVA_INT, EIGHTS + i, 0x08080808);
        }
        return memory;
    }

    /** The memory of this thread, with sizes set. */
    static MemorySegment of(long units, long tiles, long stride) {
        MemorySegment memory = OF_THREAD.get();
        memory.set(ValueLayout.JAVA_LONG, UNITS, units);
        memory.set(ValueLayout.JAVA_LONG, TILES, tiles);
        memory.set(ValueLayout.JAVA_LONG, STRIDE, stride);
        return memory;
    }
}
