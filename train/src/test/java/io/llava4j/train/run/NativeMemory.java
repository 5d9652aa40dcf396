package io.llava4j.train.run;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.locks.LockSupport;

/**
 * Bytes that the process holds of the C library's allocator, from which the engine takes its tensors, by glibc's own
 * counters. A thread watches for the largest number.
 */
final class NativeMemory implements AutoCloseable {
    // struct mallinfo2: ten counters, among them the bytes in mapped regions and those in use in arenas.
    private static final int COUNTERS = 10;
    private static final int MAPPED = 4;
    private static final int IN_USE = 7;

    private static final MethodHandle MALLINFO = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("mallinfo2"),
                    FunctionDescriptor.of(
                            MemoryLayout.structLayout(MemoryLayout.sequenceLayout(COUNTERS, ValueLayout.JAVA_LONG))));

    private final Thread sampler;
    private volatile boolean running = true;
    private volatile long peak;

    NativeMemory() {
        sampler = Thread.ofPlatform().daemon().start(() -> {
            while (running) {
                peak = Math.max(peak, inUse());
                LockSupport.parkNanos(200_000); // the counters lock the allocator
            }
        });
    }

    /** Bytes in use now. */
    static long inUse() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment counters = (MemorySegment) MALLINFO.invokeExact((SegmentAllocator) arena);
            return counters.getAtIndex(ValueLayout.JAVA_LONG, MAPPED)
                    + counters.getAtIndex(ValueLayout.JAVA_LONG, IN_USE);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** The largest number of bytes in use since the start or the last call. */
    long takePeak() {
        long largest = peak;
        peak = 0;
        return largest;
    }

    @Override
    public void close() {
        running = false;
        try {
            sampler.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
