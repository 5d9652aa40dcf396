package io.llava4j.io;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file of lines that grows during a run. A kill can leave at most its last line incomplete. */
public final class Journal {
    /** Bytes that are read at a time in search of a line's end. */
    private static final int BLOCK = 1 << 16;

    private Journal() {}

    /**
     * Appends whole lines.
     *
     * @param lines each ended by a newline
     * @throws DataException if the disk is full or the file cannot be written
     */
    public static void append(Path file, String lines) {
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            try (FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND)) {
                ByteBuffer buffer = StandardCharsets.UTF_8.encode(lines);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            }
        } catch (IOException e) {
            throw new DataException(
                    "%s: cannot be written (%s); make room and run again, what is there is kept"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /**
     * Cuts off what follows the last newline, which was torn by a kill; does nothing where there is no file.
     *
     * @throws DataException if the file cannot be read or written
     */
    public static void cutTornLine(Path file) {
        if (!Files.exists(file)) {
            return;
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            long size = channel.size();
            long end = size;
            ByteBuffer block = ByteBuffer.allocate(BLOCK);
            while (end > 0) {
                long from = Math.max(0, end - BLOCK);
                block.clear().limit((int) (end - from));
                while (block.hasRemaining() && channel.read(block, from + block.position()) >= 0) {}
                int last = block.position();
                while (last > 0 && block.get(last - 1) != '\n') {
                    last--;
                }
                end = from + last;
                if (last > 0) {
                    break;
                }
            }
            if (end < size) {
                channel.truncate(end);
            }
        } catch (IOException e) {
            throw new DataException("%s: cannot be continued (%s)".formatted(file, e.getMessage()), e);
        }
    }
}
