package io.llava4j.io;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Memory outside the heap that grows to the largest request and serves all of them, one after the other. */
public final class Scratch {
    private MemorySegment memory = MemorySegment.NULL;

    /** So many bytes, with anything in them; what was taken before is overwritten. */
    @SuppressWarnings("MustBeClosedChecker") // freed when nobody refers to it any more
    public MemorySegment take(long bytes) {
        if (memory.byteSize() < bytes) {
            memory = Arena.ofAuto().allocate(bytes, Long.BYTES);
        }
        return memory.asSlice(0, bytes);
    }
}
