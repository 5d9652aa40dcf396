package io.llava4j.io;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.jspecify.annotations.Nullable;

/**
 * A file of answers that a killed run leaves incomplete and the next one completes: {@code FILE.manifest.json} says what the run
 * is, {@code FILE.part} collects lines as they come, and {@code FILE} appears when all of them are there.
 */
public final class ResumableFile {
    private final Path file;
    private final Path manifestFile;
    private final Path part;
    private final String manifest;

    /**
     * @param file the complete file
     * @param manifest what decides the file's content, on one line; equal for equal runs
     */
    public ResumableFile(Path file, String manifest) {
        this.file = file;
        this.manifestFile = manifestOf(file);
        this.part = file.resolveSibling(file.getFileName() + ".part");
        this.manifest = manifest;
    }

    /** The path of a file's manifest. */
    public static Path manifestOf(Path file) {
        return file.resolveSibling(file.getFileName() + ".manifest.json");
    }

    /** The complete file. */
    public Path file() {
        return file;
    }

    /** Whether the file is complete. */
    public boolean isComplete() {
        return Files.exists(file);
    }

    /** Where lines are collected. */
    public Path part() {
        return part;
    }

    /**
     * Finds the lines of an earlier run with the same manifest; an incomplete last line, left by a kill, is removed.
     *
     * @return the file if it is complete, else its lines so far; null if there are none
     * @throws ConfigException if the files belong to another run
     */
    public @Nullable Path earlier() {
        if (Files.exists(manifestFile)) {
            requireSame();
        } else if (Files.exists(file) || Files.exists(part)) {
            throw new ConfigException("%s exists, but no %s says which run it belongs to; delete it or write elsewhere"
                    .formatted(file, manifestFile.getFileName()));
        }
        if (Files.exists(file)) {
            return file;
        }
        Journal.cutTornLine(part);
        return Files.exists(part) ? part : null;
    }

    /** {@link #earlier} of a run that begins now: its manifest is written before its first line. */
    public @Nullable Path resume() {
        Path earlier = earlier();
        if (!Files.exists(manifestFile)) {
            AtomicFiles.write(manifestFile, (manifest + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return earlier;
    }

    /** @throws ConfigException if the manifest beside the file is another run's */
    public void requireSame() {
        try {
            if (!Files.readString(manifestFile).strip().equals(manifest)) {
                throw new ConfigException(
                        "%s belongs to a run with another model, other questions or other decoding (%s); delete both or write elsewhere"
                                .formatted(file, manifestFile));
            }
        } catch (IOException e) {
            throw new DataException(
                    "%s: its manifest cannot be read (%s); copy it along with the answers, or delete the file"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    /**
     * Collects lines.
     *
     * @param lines each ended by a newline
     */
    public void append(String lines) {
        Journal.append(part, lines);
    }

    /** Takes the complete file back, so that its lines can be collected anew. */
    public void reopen() {
        delete(file);
    }

    /** Ends the run: the file is complete, and what was collected for it goes. */
    public void finish() {
        delete(part);
    }

    /**
     * Gives the complete file another name, together with its manifest. A file of that name is replaced in one step, so that several
     * runs that made the same file may each do so.
     */
    public void moveTo(Path other) {
        try {
            AtomicFiles.write(manifestOf(other), Files.readAllBytes(manifestFile));
            Files.move(file, other, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new DataException("%s: cannot be renamed to %s (%s)".formatted(file, other, e.getMessage()), e);
        }
        delete(manifestFile);
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new DataException("%s: cannot be deleted (%s)".formatted(path, e.getMessage()), e);
        }
    }
}
