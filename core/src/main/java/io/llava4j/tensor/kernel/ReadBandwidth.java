package io.llava4j.tensor.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicLong;

/** How many bytes per second all workers can read: the limit of decoding, which reads every weight once per token. */
public final class ReadBandwidth {
    /** Far more than the caches of a processor hold, up to some hundred megabytes of them. */
    private static final long BYTES = 1L << 30;

    private static final long CHUNK = 1L << 22;
    private static final int PASSES = 3;

    private ReadBandwidth() {}

    /** Bytes per second, the best of a few passes over fresh memory. */
    public static double measure() {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = Pages.allocate(BYTES, arena);
            Workers workers = Workers.shared();
            int chunks = (int) (BYTES / CHUNK);
            // Pages that were never written are all the same one.
            workers.run(
                    chunks,
                    (chunk, worker) -> memory.asSlice(chunk * CHUNK, CHUNK).fill((byte) chunk));
            AtomicLong sum = new AtomicLong();
            double best = Double.MAX_VALUE;
            for (int pass = 0; pass < PASSES; pass++) {
                long start = System.nanoTime();
                workers.run(chunks, (chunk, worker) -> sum.addAndGet(sum(memory.asSlice(chunk * CHUNK, CHUNK))));
                best = Math.min(best, (System.nanoTime() - start) / 1e9);
            }
            if (sum.get() == 1) {
                throw new IllegalStateException("the memory changed while it was read");
            }
            return BYTES / best;
        }
    }

    /** Reads a matrix once, as a product with one column does. */
    public static void read(PackedMatrix w, Workers workers) {
        int perChunk = Math.clamp((CHUNK >> 3) / w.tileBytes(), 1, w.tiles());
        AtomicLong sum = new AtomicLong();
        workers.run(Math.ceilDiv(w.tiles(), perChunk), (chunk, worker) -> {
            int from = chunk * perChunk;
            int count = Math.min(perChunk, w.tiles() - from);
            sum.addAndGet(sum(w.tiles(from, count).data()));
        });
        Reference.reachabilityFence(sum);
    }

    private static long sum(MemorySegment memory) {
        long sum = 0;
        int words = (int) (memory.byteSize() / Long.BYTES);
        for (int i = 0; i < words; i++) {
            sum += memory.getAtIndex(ValueLayout.JAVA_LONG, i);
        }
        return sum;
    }
}
