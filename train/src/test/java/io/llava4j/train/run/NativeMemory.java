package io.llava4j.train.run;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.global.torch;

/**
 * Bytes that the process holds of the C library's allocator, from which the engine takes its tensors, by glibc's own
 * counters. They are read at the end of each of the engine's operations, when its operands and its result are there, so the largest
 * number does not depend on the speed of the machine.
 */
final class NativeMemory implements AutoCloseable {
    // struct mallinfo2: ten counters, among them the bytes in mapped regions and those in use in arenas.
    private static final int COUNTERS = 10;
    private static final int MAPPED = 4;
    private static final int IN_USE = 7;

    private static final long NOISE = 256 << 10;

    private static final Linker LINKER = Linker.nativeLinker();

    private static final MethodHandle MALLINFO = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("mallinfo2"),
            FunctionDescriptor.of(
                    MemoryLayout.structLayout(MemoryLayout.sequenceLayout(COUNTERS, ValueLayout.JAVA_LONG))));

    // at::RecordFunctionCallback of PyTorch 2.10: what is called at an operation's start (nothing) and at its end; the
    // share of operations; flags: ten kinds of operations, and whether the callback reads inputs, outputs and numbers.
    private static final int CALLBACK_BYTES = 40;
    private static final int KINDS = 10;

    private final Arena arena = Arena.ofShared();
    private final AtomicLong peak = new AtomicLong();

    NativeMemory() {
        MemorySegment callback = arena.allocate(CALLBACK_BYTES, Long.BYTES);
        callback.set(
                ValueLayout.ADDRESS,
                8,
                LINKER.upcallStub(
                        endOfOperation(), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS, ValueLayout.ADDRESS), arena));
        callback.set(ValueLayout.JAVA_DOUBLE, 16, 1);
        callback.asSlice(24, KINDS).fill((byte) 1);
        torch.addGlobalCallback(new Pointer() {
            {
                address = callback.address();
            }
        });
    }

    private MethodHandle endOfOperation() {
        try {
            return MethodHandles.lookup()
                    .findVirtual(
                            NativeMemory.class,
                            "read",
                            MethodType.methodType(void.class, MemorySegment.class, MemorySegment.class))
                    .bindTo(this);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Called by the engine. */
    void read(MemorySegment operation, MemorySegment context) {
        peak.accumulateAndGet(inUse(), Math::max);
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

    /**
     * Bytes in use once nobody takes or frees much: for a while after a run, the JVM's compilers hold memory of this
     * allocator, too.
     */
    static long onceSteady() {
        long last = inUse();
        int equal = 0;
        for (int i = 0; i < 600 && equal < 10; i++) {
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            long now = inUse();
            equal = Math.abs(now - last) < NOISE ? equal + 1 : 0;
            last = now;
        }
        if (equal < 10) {
            throw new IllegalStateException("the memory in use does not become steady");
        }
        return last;
    }

    /** The largest number of bytes in use since the start or the last call. */
    long takePeak() {
        return peak.getAndSet(0);
    }

    @Override
    public void close() {
        torch.clearGlobalCallbacks();
        arena.close();
    }
}
