package io.llava4j.io;

import io.llava4j.ConfigException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The right of one process to write an output: a lock of the operating system on a hidden file beside it, {@code .FILE.lock}. It ends
 * with its process, so a killed run blocks nobody.
 */
public final class OutputLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(OutputLock.class);

    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();
    private static final int MAX_LENGTH = 1 << 16;

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
        Path absolute = output.toAbsolutePath().normalize();
        Path file = absolute.resolveSibling("." + absolute.getFileName() + ".lock");
        // Asked first: to open and close the file once more would end this process's own lock.
        requireFree(HELD.add(file), output);
        boolean done = false;
        try {
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            OutputLock lock = new OutputLock(file, open(output, file));
            done = true;
            return lock;
        } catch (IOException e) {
            throw FileErrors.cannotWrite(file, e);
        } finally {
            if (!done) {
                HELD.remove(file);
            }
        }
    }

    private static FileChannel open(Path output, Path file) throws IOException {
        while (true) {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            boolean kept = false;
            try {
                requireFree(tryLock(output, channel), output);
                if (isStillNamed(file, channel)) {
                    kept = true;
                    return channel;
                }
            } finally {
                if (!kept) {
                    channel.close();
                }
            }
        }
    }

    private static boolean tryLock(Path output, FileChannel channel) {
        try {
            return channel.tryLock() != null;
        } catch (IOException e) {
            LOG.warn("{} cannot be locked ({}); see to it that no other run writes it", output, e.getMessage());
            return true;
        }
    }

    private static void requireFree(boolean free, Path output) {
        if (!free) {
            throw new ConfigException(
                    "another run is writing %s; wait until it has ended, or name another output".formatted(output));
        }
    }

    /**
     * The run that had the lock before may have removed the file after this one opened it; then somebody else may lock a new one. So
     * the file gets a length by chance, and the one of that name must have it. Reading it instead would end the lock: systems end
     * those of a process with any channel on the file that it closes.
     */
    private static boolean isStillNamed(Path file, FileChannel channel) throws IOException {
        channel.truncate(0);
        channel.write(ByteBuffer.allocate(1), ThreadLocalRandom.current().nextInt(MAX_LENGTH));
        try {
            return Files.size(file) == channel.size();
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
        } finally {
            HELD.remove(file);
        }
    }
}
