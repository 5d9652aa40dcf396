package io.llava4j.io;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Off-heap memory that grows to the largest request and is reused by every request. Not thread-safe. */
public final class Scratch {
    private MemorySegment memory = MemorySegment.NULL;

    /** Memory of {@code bytes} bytes with undefined content; it replaces what an earlier call returned. */
    @SuppressWarnings("MustBeClosedChecker") // freed by the garbage collector
    public MemorySegment take(long bytes) {
        if (memory.byteSize() < bytes) {
            memory = Arena.ofAuto().allocate(bytes, Long.BYTES);
        }
        return memory.asSlice(0, bytes);
    }
}
