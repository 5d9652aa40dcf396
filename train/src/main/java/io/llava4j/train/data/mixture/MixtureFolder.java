package io.llava4j.train.data.mixture;

import io.llava4j.DataException;
import io.llava4j.io.AtomicFiles;
import io.llava4j.train.data.format.DataFiles;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * A mixture on disk: its data, {@code left-out.jsonl}, the datasheet {@code README.md} and, written last,
 * {@code manifest.json}.
 *
 * @param path of the folder
 */
public record MixtureFolder(Path path) {
    private static final String MANIFEST = "manifest.json";
    private static final JsonMapper JSON = JsonMapper.builder().build();

    /** The file of the manifest: the manifest, and the hash of everything it depends on. */
    private record Finished(String key, Manifest manifest) {}

    /** Writes lines. */
    @FunctionalInterface
    public interface Lines {
        void writeTo(OutputStream out) throws IOException;
    }

    /** The manifest of the finished mixture, if nothing it depends on has changed; see {@link MixtureKeys}. */
    public Optional<Manifest> finished(String key) {
        Path file = path.resolve(MANIFEST);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            Finished finished = JSON.readValue(file, Finished.class);
            return finished.key().equals(key)
                            && dataBytes(finished.manifest())
                                    == finished.manifest().bytes()
                    ? Optional.of(finished.manifest())
                    : Optional.empty();
        } catch (IOException | JacksonException e) {
            return Optional.empty(); // damaged or of another version: the mixture is built again
        }
    }

    private long dataBytes(Manifest manifest) throws IOException {
        long bytes = 0;
        for (Path data : DataFiles.filesOf(path.resolve(manifest.file()))) {
            bytes += Files.size(data);
        }
        return bytes;
    }

    /** Writes the list of everything that was left out. */
    public void writeLeftOut(Lines lines) {
        AtomicFiles.write(path.resolve("left-out.jsonl"), channel -> {
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            lines.writeTo(out);
            out.flush();
        });
    }

    /**
     * Makes the manifest of the data in the folder.
     *
     * @param file name of the data file, or the pattern of its shards, whose bytes are hashed one after another
     * @param textOnly records without an image
     * @param sources after samples were drawn
     */
    public Manifest describe(MixtureRecipe recipe, String file, int textOnly, List<SourceReport> sources) {
        MessageDigest digest = MixtureKeys.sha256();
        long bytes = 0;
        try (OutputStream out = new DigestOutputStream(OutputStream.nullOutputStream(), digest)) {
            for (Path data : DataFiles.filesOf(path.resolve(file))) {
                bytes += Files.copy(data, out);
            }
        } catch (IOException e) {
            throw new DataException("the mixture in %s cannot be read: %s".formatted(path, e.getMessage()), e);
        }
        return Manifest.of(recipe, file, bytes, HexFormat.of().formatHex(digest.digest()), textOnly, sources);
    }

    /** Writes the datasheet and then the manifest, which marks the mixture as complete. */
    public void finish(String key, Manifest manifest) {
        AtomicFiles.write(path.resolve("README.md"), Datasheet.of(manifest).getBytes(StandardCharsets.UTF_8));
        String text = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(new Finished(key, manifest)) + "\n";
        AtomicFiles.write(path.resolve(MANIFEST), text.getBytes(StandardCharsets.UTF_8));
    }

    /** Deletes the manifest before the mixture is built again. */
    public void begin() {
        try {
            Files.createDirectories(path);
            Files.deleteIfExists(path.resolve(MANIFEST));
        } catch (IOException e) {
            throw new DataException("the mixture in %s cannot be written: %s".formatted(path, e.getMessage()), e);
        }
    }
}
