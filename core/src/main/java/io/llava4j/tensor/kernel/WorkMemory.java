package io.llava4j.tensor.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * Buffers off the heap that one computation after another uses, until all are freed together and the operating system has
 * them back. For one caller at a time.
 */
public final class WorkMemory implements AutoCloseable {
    private final Map<MemorySegment.Scope, Arena> arenas = new HashMap<>();

    /**
     * A buffer of that many floats or more, aligned to a cache line.
     *
     * @param buffer the one that was used before, or {@link MemorySegment#NULL}; returned if it is large enough and was not
     *     freed, otherwise freed
     */
    public MemorySegment atLeast(MemorySegment buffer, long floats) {
        return bytesAtLeast(buffer, Math.multiplyExact(floats, (long) Float.BYTES));
    }

    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    MemorySegment bytesAtLeast(MemorySegment buffer, long bytes) {
        if (buffer.scope().isAlive() && buffer.byteSize() >= bytes) {
            return buffer;
        }
        Arena old = arenas.remove(buffer.scope());
        if (old != null) {
            old.close();
        }
        Arena arena = Arena.ofShared();
        arenas.put(arena.scope(), arena);
        return Pages.allocate(bytes, arena);
    }

    /** Frees all buffers; {@link #atLeast} gives new ones afterwards. */
    @Override
    public void close() {
        arenas.values().forEach(Arena::close);
        arenas.clear();
    }
}
