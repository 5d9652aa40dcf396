package io.llava4j.tensor.kernel;

import java.lang.foreign.MemorySegment;

/** Memory over files. */
public final class MappedMemory {
    private MappedMemory() {}

    /**
     * Lets the pages of a mapped file leave the process, because what they hold was copied. They are read from the file
     * again if they are used after all.
     *
     * @param pages mapped; may begin and end anywhere
     */
    public static void release(MemorySegment pages) {
        Pages.release(pages);
    }
}
