package io.llava4j.eval.format;

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
        try {
            byte[] bytes = Files.readAllBytes(file);
            int end = bytes.length;
            while (end > 0 && bytes[end - 1] != '\n') {
                end--;
            }
            if (end < bytes.length) {
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    channel.truncate(end);
                }
            }
        } catch (IOException e) {
            throw new DataException("%s: cannot be continued (%s)".formatted(file, e.getMessage()), e);
        }
    }
}
