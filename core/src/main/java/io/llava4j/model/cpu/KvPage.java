package io.llava4j.model.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** Keys and values of {@value KvLayout#POSITIONS} neighbouring positions, shared by the contexts that begin alike. */
final class KvPage {
    private static final long ALIGNMENT = 64;

    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private int owners = 1;

    KvPage(KvLayout layout) {
        memory = arena.allocate(layout.pageBytes(), ALIGNMENT);
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
    }
}
