package io.llava4j.model.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** Keys and values of {@value KvLayout#POSITIONS} neighbouring positions, shared by the contexts that begin alike. */
public final class KvPage {
    private static final long ALIGNMENT = 64;

    private static final AtomicLong OPEN = new AtomicLong();

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private int owners = 1;

    KvPage(KvLayout layout) {
        memory = arena.allocate(layout.pageBytes(), ALIGNMENT);
        OPEN.incrementAndGet();
    }

    /** Pages of this process whose memory is not freed. */
    static long open() {
        return OPEN.get();
    }

    /** Memory that it takes. */
    public long bytes() {
        return memory.byteSize();
    }

    MemorySegment memory() {
        return memory;
    }

    synchronized boolean isShared() {
        return owners > 1;
    }

    synchronized KvPage share() {
        owners++;
        return this;
    }

    /** Gives up one owner's part; the memory goes with the last one. */
    void release() {
        synchronized (this) {
            owners--;
            if (owners > 0) {
                return;
            }
        }
        arena.close();
        OPEN.decrementAndGet();
    }
}
