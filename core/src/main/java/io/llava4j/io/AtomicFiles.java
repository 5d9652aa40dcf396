package io.llava4j.io;

import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files and folders that appear whole or not at all: written under a hidden name ({@code .NAME.partial}) in the same
 * folder, forced to disk, then renamed. A killed process leaves only such a hidden file, which the next write of the same
 * target deletes. Two writers of one file do not disturb each other; the file is that of the last one to end.
 */
public final class AtomicFiles {
    private static final Logger LOG = LoggerFactory.getLogger(AtomicFiles.class);

    private AtomicFiles() {}

    /** Writes the bytes of a file. */
    @FunctionalInterface
    public interface FileContent {
        /** @param channel at position 0 of an empty file */
        void writeTo(FileChannel channel) throws IOException;
    }

    /** Fills a folder. */
    @FunctionalInterface
    public interface FolderContent {
        /** @param directory empty, under its hidden name */
        void writeTo(Path directory) throws IOException;
    }

    /**
     * Writes a file atomically, replacing an older one.
     *
     * @throws CheckpointException if it cannot be written, for example because the disk is full; an older file then stays
     */
    public static void write(Path file, FileContent content) {
        Path partial = partialOf(file);
        if (isBeingWritten(partial)) {
            partial = partial.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".partial");
        }
        replace(file, partial, created -> {
            try (FileChannel channel =
                    FileChannel.open(created, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                lock(channel);
                content.writeTo(channel);
                channel.force(true);
            }
        });
    }

    /** Whether another writer has a hidden file open: it holds its lock. */
    private static boolean isBeingWritten(Path partial) {
        if (!Files.isRegularFile(partial, LinkOption.NOFOLLOW_LINKS)) {
            return false;
        }
        try (FileChannel channel = FileChannel.open(partial, StandardOpenOption.WRITE)) {
            return !lock(channel);
        } catch (IOException e) {
            return false; // it is gone by now, or cannot be opened, which deleting it will tell
        }
    }

    /** Whether a file is this channel's alone; so it is where the file system knows no locks. */
    private static boolean lock(FileChannel channel) {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        } catch (IOException e) {
            LOG.debug("no locks here: {}", e.getMessage());
            return true;
        }
    }

    /** As {@link #write(Path, FileContent)}, for content in memory. */
    public static void write(Path file, byte[] content) {
        write(file, channel -> {
            ByteBuffer buffer = ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        });
    }

    /**
     * Writes a folder with all its files atomically.
     *
     * @param directory must not exist yet, or be empty
     * @throws CheckpointException if it exists already or cannot be written; then nothing remains
     */
    public static void writeDirectory(Path directory, FolderContent content) {
        requireFree(directory);
        replace(directory, partialOf(directory), partial -> {
            Files.createDirectory(partial);
            content.writeTo(partial);
            for (Path path : depthFirst(partial)) {
                force(path);
            }
        });
    }

    /**
     * The hidden folder in which several processes write the files of a folder, empty; {@link #endDirectory} gives it its name.
     *
     * @param directory must not exist yet, or be empty
     * @throws CheckpointException if it exists already or cannot be written
     */
    public static Path beginDirectory(Path directory) {
        requireFree(directory);
        Path partial = partialOf(directory);
        try {
            deleteAll(partial);
            return Files.createDirectories(partial);
        } catch (IOException e) {
            throw FileErrors.cannotWrite(directory, e);
        }
    }

    /**
     * Ends what {@link #beginDirectory} began: its files are on the disk, and the folder has its name.
     *
     * @throws CheckpointException if it cannot be renamed
     */
    public static void endDirectory(Path directory) {
        Path partial = partialOf(directory);
        try {
            for (Path path : depthFirst(partial)) {
                force(path);
            }
            Files.move(partial, directory, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            force(parentOf(directory));
        } catch (IOException e) {
            throw FileErrors.cannotWrite(directory, e);
        }
    }

    private static Path parentOf(Path target) {
        return Objects.requireNonNull(target.toAbsolutePath().getParent(), "a root cannot be written");
    }

    private static Path partialOf(Path target) {
        return parentOf(target).resolve("." + target.getFileName() + ".partial");
    }

    private static void requireFree(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        boolean free = false;
        if (Files.isDirectory(directory)) {
            try (Stream<Path> entries = Files.list(directory)) {
                free = entries.findAny().isEmpty();
            } catch (IOException e) {
                throw FileErrors.cannotRead(directory, e);
            }
        }
        if (!free) {
            throw new CheckpointException("%s exists already; remove it or name another folder".formatted(directory));
        }
    }

    private static void replace(Path target, Path partial, FolderContent content) {
        Path parent = parentOf(target);
        boolean done = false;
        try {
            Files.createDirectories(parent);
            deleteAll(partial);
            content.writeTo(partial);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            done = true;
            force(parent);
        } catch (IOException e) {
            throw FileErrors.cannotWrite(target, e);
        } catch (UncheckedIOException e) {
            throw FileErrors.cannotWrite(target, Objects.requireNonNull(e.getCause()));
        } finally {
            if (!done) {
                deletePartial(partial);
            }
        }
    }

    private static void deletePartial(Path partial) {
        try {
            deleteAll(partial);
        } catch (IOException e) {
            // The first failure is the one to report; the next write deletes the remaining files.
            LOG.warn("{} could not be removed: {}", partial, e.getMessage());
        }
    }

    /**
     * Deletes a directory with all that is in it, if it exists.
     *
     * @throws LlavaException if it cannot be deleted
     */
    public static void deleteDirectory(Path directory) {
        try {
            if (Files.exists(directory)) {
                deleteAll(directory);
            }
        } catch (IOException e) {
            throw new LlavaException(directory + " cannot be deleted; check permissions", e);
        }
    }

    private static void deleteAll(Path path) throws IOException {
        for (Path entry : depthFirst(path)) {
            Files.deleteIfExists(entry);
        }
    }

    /** A folder's content before the folder itself; links are not followed. */
    private static List<Path> depthFirst(Path path) throws IOException {
        try (Stream<Path> entries = Files.walk(path)) {
            return entries.sorted(Comparator.reverseOrder()).toList();
        } catch (NoSuchFileException e) {
            return List.of();
        }
    }

    private static void force(Path path) throws IOException {
        boolean directory = Files.isDirectory(path);
        if (directory && File.separatorChar == '\\') {
            return; // Windows does not open folders
        }
        try (FileChannel channel =
                FileChannel.open(path, directory ? StandardOpenOption.READ : StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }
}
