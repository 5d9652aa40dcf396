package io.llava4j.io;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Memory over files. */
public final class MappedMemory {
    private static final long PAGE = 1 << 12;
    private static final int ADVICE_NOT_NEEDED = 4;

    private MappedMemory() {}

    /** The C function; initialised on Linux only, where the number above holds. */
    private static final class Libc {
        static final MethodHandle ADVISE = Linker.nativeLinker()
                .downcallHandle(
                        Linker.nativeLinker().defaultLookup().findOrThrow("madvise"),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_LONG,
                                ValueLayout.JAVA_INT));
    }

    /**
     * Lets the whole pages of a mapped file leave the process, because what they hold was copied. They are read from the
     * file again if they are used after all. Does nothing to other memory, and nothing on systems other than Linux.
     *
     * @param pages may begin and end anywhere
     */
    public static void release(MemorySegment pages) {
        if (!pages.isMapped() || !System.getProperty("os.name", "").equals("Linux")) {
            return;
        }
        long from = (pages.address() + PAGE - 1) / PAGE * PAGE;
        long to = (pages.address() + pages.byteSize()) / PAGE * PAGE;
        if (to > from) {
            try {
                // It is advice: where it is refused, the pages stay.
                int ignored = (int) Libc.ADVISE.invokeExact(from, to - from, ADVICE_NOT_NEEDED);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
