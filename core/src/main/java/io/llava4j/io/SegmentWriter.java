package io.llava4j.io;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Writes memory segments of any size to a file, in sequence, through one small buffer. */
public final class SegmentWriter {
    private static final int BUFFER_BYTES = 1 << 20;

    private final FileChannel channel;
    private long written;

    /** A writer that appends to {@code channel}. */
    public SegmentWriter(FileChannel channel) {
        this.channel = channel;
    }

    /** Appends bytes. */
    public void write(byte[] bytes) throws IOException {
        write(MemorySegment.ofArray(bytes));
    }

    /** Appends a segment on or off the heap. */
    public void write(MemorySegment data) throws IOException {
        blocks(data, block -> {
            while (block.hasRemaining()) {
                channel.write(block);
            }
        });
        written += data.byteSize();
    }

    /** Consumes a block of a segment. */
    @FunctionalInterface
    public interface Block {
        /** @param bytes backed by an array, from its start; reused for the next block */
        void accept(ByteBuffer bytes) throws IOException;
    }

    /** Passes a segment on block by block, in sequence. */
    public static void blocks(MemorySegment data, Block to) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate((int) Math.min(BUFFER_BYTES, data.byteSize()));
        for (long at = 0; at < data.byteSize(); at += BUFFER_BYTES) {
            int count = (int) Math.min(BUFFER_BYTES, data.byteSize() - at);
            MemorySegment.copy(data, at, MemorySegment.ofArray(buffer.array()), 0, count);
            to.accept(buffer.clear().limit(count));
        }
    }

    /** Appends zeros up to the next multiple of {@code alignment} bytes. */
    public void align(int alignment) throws IOException {
        write(new byte[(int) (Math.ceilDiv(written, alignment) * alignment - written)]);
    }

    /**
     * Checks the free space before a long write.
     *
     * @throws CheckpointException if the disk has not enough space
     */
    public static void requireSpace(Path file, long bytes) {
        Path folder = file.toAbsolutePath().getParent();
        while (folder != null && !Files.exists(folder)) {
            folder = folder.getParent();
        }
        if (folder == null) {
            return;
        }
        try {
            long free = Files.getFileStore(folder).getUsableSpace();
            if (free < bytes) {
                throw new CheckpointException(String.format(
                        Locale.ROOT,
                        "%s needs %.1f MB but its disk has only %.1f MB left; free some space",
                        file,
                        bytes / 1e6,
                        free / 1e6));
            }
        } catch (IOException e) {
            throw FileErrors.cannotWrite(file, e);
        }
    }
}
