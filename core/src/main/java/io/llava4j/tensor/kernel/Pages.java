package io.llava4j.tensor.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Memory of whole pages from the operating system: large ones for weights, executable ones for code. */
final class Pages {
    private static final long HUGE_PAGE = 1 << 21;
    private static final long PAGE = 1 << 12;
    private static final long FAILED = -1;
    private static final int READ_WRITE = 3;
    private static final int READ_EXECUTE = 5;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int ADVICE_HUGE_PAGES = 14;
    private static final int ADVICE_SMALL_PAGES = 15;
    private static final int ADVICE_POPULATE_TO_WRITE = 23;

    /**
     * Memory that shows how fast the kernel hands out large pages. All that is populated is looked at until it was slow: the
     * first pages may be those that another process has just given back.
     */
    private static final long TRIAL = 8 * HUGE_PAGE;

    /** Bytes per second of a thread. Small pages come at more than twice this rate. */
    private static final double SLOW = 1e9;

    private static boolean largePagesAreSlow;
    private static long trialBytes;
    private static long trialNanos;

    private Pages() {}

    /** The C functions; initialised on Linux only, where the numbers above hold. */
    private static final class Libc {
        static final MethodHandle MMAP = function(
                "mmap",
                FunctionDescriptor.of(
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG));
        static final MethodHandle MUNMAP = function(
                "munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
        static final MethodHandle ADVISE = function("madvise", protection());
        static final MethodHandle PROTECT = function("mprotect", protection());

        private static FunctionDescriptor protection() {
            return FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT);
        }

        private static MethodHandle function(String name, FunctionDescriptor descriptor) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
        }
    }

    /**
     * Zeroed memory that lives as long as the arena, aligned to a cache line. It has large pages, which are read some per
     * cent faster, where the kernel grants them and does so quickly: in virtual machines that give free memory back to
     * their host a large page can cost five times the time of small ones.
     */
    static MemorySegment allocate(long bytes, Arena arena) {
        if (bytes < HUGE_PAGE || !isLinux()) {
            return arena.allocate(Math.max(1, bytes), 64);
        }
        long mapped = (bytes + 2 * HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
        long address = map(mapped);
        if (address == FAILED) {
            return arena.allocate(bytes, 64);
        }
        long aligned = (address + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
        MemorySegment memory =
                MemorySegment.ofAddress(aligned).reinterpret(bytes, arena, segment -> unmap(address, mapped));
        call(Libc.ADVISE, aligned, address + mapped - aligned, pageAdvice());
        return memory;
    }

    /**
     * Asks for the pages of memory that a thread writes next. The operating system hands out many at a time for half of
     * what it takes to hand out each when it is touched first.
     *
     * @param memory of {@link #allocate}
     * @param from first byte
     * @param bytes how many
     */
    static void populate(MemorySegment memory, long from, long bytes) {
        if (memory.byteSize() < HUGE_PAGE || !isLinux()) {
            return;
        }
        long start = System.nanoTime();
        long address = (memory.address() + from) / PAGE * PAGE;
        // Where the kernel does not know this advice, pages come one by one.
        int ignored = call(Libc.ADVISE, address, memory.address() + from + bytes - address, ADVICE_POPULATE_TO_WRITE);
        judgeLargePages(memory, bytes, System.nanoTime() - start);
    }

    private static synchronized void judgeLargePages(MemorySegment memory, long bytes, long nanos) {
        if (largePagesAreSlow) {
            return;
        }
        trialBytes += bytes;
        trialNanos += nanos;
        if (trialBytes >= TRIAL) {
            largePagesAreSlow = trialBytes / (trialNanos / 1e9) < SLOW;
            trialBytes = 0;
            trialNanos = 0;
            if (largePagesAreSlow) {
                call(Libc.ADVISE, memory.address(), memory.byteSize() / PAGE * PAGE, ADVICE_SMALL_PAGES);
            }
        }
    }

    private static synchronized int pageAdvice() {
        return largePagesAreSlow ? ADVICE_SMALL_PAGES : ADVICE_HUGE_PAGES;
    }

    /**
     * Pages with machine code, which are written first and made executable and read-only afterwards; they stay until the
     * process ends.
     *
     * @throws UnsupportedOperationException if the operating system refuses
     */
    static MemorySegment executable(byte[] code) {
        if (!isLinux()) {
            throw new UnsupportedOperationException("executable pages are made on Linux only");
        }
        long bytes = (code.length + PAGE - 1) / PAGE * PAGE;
        long address = map(bytes);
        if (address == FAILED) {
            throw new UnsupportedOperationException("the operating system gives no memory for code");
        }
        MemorySegment pages = MemorySegment.ofAddress(address).reinterpret(bytes);
        MemorySegment.copy(code, 0, pages, ValueLayout.JAVA_BYTE, 0, code.length);
        if (call(Libc.PROTECT, address, bytes, READ_EXECUTE) != 0) {
            unmap(address, bytes);
            throw new UnsupportedOperationException("the operating system refuses executable pages");
        }
        return pages;
    }

    private static boolean isLinux() {
        return System.getProperty("os.name", "").equals("Linux");
    }

    private static long map(long bytes) {
        try {
            return (long) Libc.MMAP.invokeExact(0L, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static void unmap(long address, long bytes) {
        try {
            int ignored = (int) Libc.MUNMAP.invokeExact(address, bytes);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static int call(MethodHandle function, long address, long bytes, int argument) {
        try {
            return (int) function.invokeExact(address, bytes, argument);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
