package io.llava4j.io;

import io.llava4j.ConfigException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right of one process to write an output: a lock of the operating system on a hidden file beside it, {@code .FILE.lock}. It ends
 * with its process, so a killed run blocks nobody.
 */
public final class OutputLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OutputLock.class);

    /** A byte after the mark, which others may then read on every system. */
    private static final long AFTER_MARK = 1 << 10;

    private final Path file;
    private final FileChannel channel;

    private OutputLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Locks an output until the lock is closed. Where the file system knows no locks, warns and locks nothing.
     *
     * @param output file that need not exist
     * @throws ConfigException if another run is writing it
     */
    public static OutputLock of(Path output) {
        Path absolute = output.toAbsolutePath();
        Path file = absolute.resolveSibling("." + absolute.getFileName() + ".lock");
        try {
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            while (true) {
                FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                boolean kept = false;
                try {
                    lock(output, channel);
                    if (isStillNamed(file, channel)) {
                        kept = true;
                        return new OutputLock(file, channel);
                    }
                } finally {
                    if (!kept) {
                        channel.close();
                    }
                }
            }
        } catch (IOException e) {
            throw FileErrors.cannotWrite(file, e);
        }
    }

    private static void lock(Path output, FileChannel channel) {
        @Nullable FileLock lock = null;
        try {
            lock = channel.tryLock(AFTER_MARK, 1, false);
        } catch (OverlappingFileLockException e) {
            // By another run in this process.
        } catch (IOException e) {
            LOG.warn("{} cannot be locked ({}); see to it that no other run writes it", output, e.getMessage());
            return;
        }
        if (lock == null) {
            throw new ConfigException(
                    "another run is writing %s; wait until it has ended, or name another output".formatted(output));
        }
    }

    /** The run that had the lock before may have removed the file after this one opened it; then somebody else may lock a new one. */
    private static boolean isStillNamed(Path file, FileChannel channel) throws IOException {
        String mark = UUID.randomUUID().toString();
        channel.write(ByteBuffer.wrap(mark.getBytes(StandardCharsets.UTF_8)), 0);
        try {
            return Files.readString(file).equals(mark);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    /** Gives the output free. */
    @Override
    public void close() {
        try (channel) {
            Files.deleteIfExists(file); // before the lock ends, so that nobody else's file is removed
        } catch (IOException e) {
            LOG.warn("{} cannot be removed: {}", file, e.getMessage());
        }
    }
}
