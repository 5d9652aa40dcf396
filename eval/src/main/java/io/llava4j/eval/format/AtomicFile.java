package io.llava4j.eval.format;

import io.llava4j.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Replaces a file in one step: readers see the old bytes or the new ones, never a part. */
public final class AtomicFile {
    private AtomicFile() {}

    /**
     * Writes beside the target, forces to disk, renames.
     *
     * @param file target; its folder is made where missing
     * @param bytes the whole content
     * @throws DataException if the disk is full or the folder cannot be written
     */
    public static void write(Path file, byte[] bytes) {
        Path folder = file.resolveSibling("").toAbsolutePath();
        Path temporary = null;
        try {
            Files.createDirectories(folder);
            // Not createTempFile: its files are readable by their owner only, and the name lives on after the rename.
            temporary = folder.resolve("." + file.getFileName() + "." + UUID.randomUUID() + ".tmp");
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
                channel.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            discard(temporary);
            throw new DataException(
                    "%s: cannot be written (%s); check free space and permissions".formatted(file, e.getMessage()), e);
        }
    }

    private static void discard(@Nullable Path temporary) {
        if (temporary != null) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException e) {
                // The write already failed and is being reported; a leftover temporary file is harmless.
                return;
            }
        }
    }
}
