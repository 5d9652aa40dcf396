package io.llava4j.nano.raw;

import io.llava4j.DataException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A folder whose content is determined by a fingerprint. It is created atomically: written to a temporary folder and moved
 * when complete. A stopped run leaves nothing, the next run removes what a killed one left, and a folder with the same
 * fingerprint is kept.
 *
 * @param what the folder contains, for messages
 * @param manifest name of the file with fingerprint and counts
 */
public record CachedFolder(String what, String manifest) {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** Writes everything except the manifest. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes into an existing folder.
         *
         * @return counts for the manifest
         */
        Map<String, Integer> write(Path root) throws IOException;
    }

    /**
     * Writes the folder or keeps the existing one.
     *
     * @param directory missing, empty, or an older folder of this kind, which is replaced
     * @param about further entries of the manifest
     * @throws DataException if the directory contains other files, another process is writing it, or it cannot be written
     */
    public NanoWorld.Result write(Path directory, String fingerprint, Map<String, ?> about, Content content) {
        Path target = directory.toAbsolutePath().normalize();
        Path parent = target.getParent();
        if (parent == null) {
            throw new DataException(
                    "%s: %s cannot be the root of a file system; name a folder".formatted(target, what));
        }
        try {
            Files.createDirectories(parent);
            Path lockFile = beside(target, "lock");
            try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.tryLock()) {
                if (lock == null) {
                    throw new DataException(
                            "%s: another process is writing %s here; wait for it".formatted(target, what));
                }
                try {
                    return reuseOrWrite(target, fingerprint, about, content);
                } finally {
                    Files.deleteIfExists(lockFile);
                }
            }
        } catch (IOException | UncheckedIOException e) {
            throw new DataException("%s: %s cannot be written (%s)".formatted(target, what, e.getMessage()), e);
        }
    }

    private NanoWorld.Result reuseOrWrite(Path target, String fingerprint, Map<String, ?> about, Content content)
            throws IOException {
        Path file = target.resolve(manifest);
        if (Files.isRegularFile(file)) {
            JsonNode old = read(file);
            if (old.path("fingerprint").asString("").equals(fingerprint)) {
                return new NanoWorld.Result(target, true, counts(old));
            }
        } else if (Files.exists(target) && !FileTrees.isEmptyDirectory(target)) {
            throw new DataException(
                    "%s: holds something else than %s; name another folder or remove it".formatted(target, what));
        }
        Path part = beside(target, "part");
        Path old = beside(target, "old");
        FileTrees.delete(part);
        FileTrees.delete(old);
        Files.createDirectories(part);
        try {
            Map<String, Integer> counts = content.write(part);
            writeManifest(part.resolve(manifest), fingerprint, about, counts);
            if (Files.exists(target)) {
                Files.move(target, old, StandardCopyOption.ATOMIC_MOVE);
            }
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            FileTrees.delete(old);
            return new NanoWorld.Result(target, false, counts);
        } finally {
            FileTrees.delete(part);
        }
    }

    private static Path beside(Path target, String role) {
        return target.resolveSibling("." + target.getFileName() + "." + role);
    }

    private JsonNode read(Path file) {
        try {
            return JSON.readTree(file);
        } catch (JacksonException e) {
            throw new DataException("%s is not a manifest of %s; remove the folder".formatted(file, what), e);
        }
    }

    private static Map<String, Integer> counts(JsonNode manifest) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        manifest.path("counts")
                .properties()
                .forEach(count -> counts.put(count.getKey(), count.getValue().asInt()));
        return counts;
    }

    private static void writeManifest(Path file, String fingerprint, Map<String, ?> about, Map<String, Integer> counts)
            throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("fingerprint", fingerprint);
        json.putAll(about);
        json.put("counts", counts);
        Files.writeString(file, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }
}
