package io.llava4j.train.run.feature;

import io.llava4j.LlavaException;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.ComputePrecision;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A folder with the features that a frozen vision tower makes of images, a file for each image. Files are named by the
 * content of the image's file and by all that decides its features, so any runs and processes may share the folder. A file
 * appears when it is complete; one whose checksum or length is wrong counts as damaged and is written anew. Safe for use
 * by many threads.
 */
public final class FeatureCache {
    private static final Logger LOG = LoggerFactory.getLogger(FeatureCache.class);
    private static final int MAGIC = 0x4C4C5646; // LLVF
    private static final int VERSION = 1;
    private static final int HEADER = 3 * Integer.BYTES;
    private static final int KEY_BYTES = 20;

    private final Path directory;
    private final byte[] tower;
    private final int bytesPerImage;
    private final AtomicInteger damaged = new AtomicInteger();
    private final AtomicBoolean warned = new AtomicBoolean();
    private final AtomicBoolean writable = new AtomicBoolean(true);

    /**
     * A cache of one tower.
     *
     * @param directory is created if it is missing
     * @param tower all that decides an image's features besides its file: weights, layer, preprocessing, precision
     * @param bytesPerImage of the features of an image
     * @throws LlavaException if the folder cannot be created
     */
    public FeatureCache(Path directory, String tower, int bytesPerImage) {
        this.directory = directory;
        this.tower = tower.getBytes(StandardCharsets.UTF_8);
        this.bytesPerImage = bytesPerImage;
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new LlavaException(
                    "data.feature-cache %s cannot be created; check permissions and that it is a folder"
                            .formatted(directory),
                    e);
        }
    }

    /** Bytes of the features of an image. */
    public static int bytesPerImage(LlavaConfig model, ComputePrecision precision) {
        return Math.multiplyExact(model.featuresPerView() * model.featureWidth(), precision.bytes());
    }

    /** Where the files are. */
    public Path directory() {
        return directory;
    }

    /** Bytes of a file. */
    public int bytesPerFile() {
        return HEADER + bytesPerImage;
    }

    /** Damaged files that were found since the last call. */
    int takeDamaged() {
        return damaged.getAndSet(0);
    }

    /**
     * The name of an image.
     *
     * @param file its bytes
     */
    public String key(byte[] file) {
        try {
            MessageDigest sha = MessageDigest.getInstance("SHA-256");
            sha.update(tower);
            sha.update((byte) 0);
            return HexFormat.of().formatHex(sha.digest(file), 0, KEY_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** The features of an image; null if they are not there or damaged. */
    public byte @Nullable [] find(String key) {
        Path file = file(key);
        byte[] content;
        try {
            content = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            content = new byte[0];
        }
        if (content.length == bytesPerFile()) {
            ByteBuffer header = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
            byte[] features = Arrays.copyOfRange(content, HEADER, content.length);
            if (header.getInt() == MAGIC && header.getInt() == VERSION && header.getInt() == checksum(features)) {
                return features;
            }
        }
        damaged.incrementAndGet();
        if (!warned.getAndSet(true)) {
            LOG.warn(
                    "{} is damaged or cannot be read; the vision tower computes such images again and their files are replaced",
                    file);
        }
        return null;
    }

    /** Keeps the features of an image. A folder that cannot be written is reported once and left as it is. */
    public void put(String key, byte[] features) {
        if (features.length != bytesPerImage) {
            throw new IllegalArgumentException("%d bytes, not %d".formatted(features.length, bytesPerImage));
        }
        if (!writable.get()) {
            return;
        }
        Path file = file(key);
        byte[] content = ByteBuffer.allocate(bytesPerFile())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(MAGIC)
                .putInt(VERSION)
                .putInt(checksum(features))
                .put(features)
                .array();
        try {
            Files.createDirectories(file.getParent());
            Path partial = Files.createTempFile(file.getParent(), key, ".partial");
            try {
                Files.write(partial, content);
                Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException e) {
            if (writable.getAndSet(false)) {
                LOG.warn(
                        "data.feature-cache {} cannot be written: {}; the run goes on without adding to it. Check free space and permissions",
                        directory,
                        e.getMessage());
            }
        }
    }

    /** In one of 256 folders, as file systems are slow with a million files in one. */
    private Path file(String key) {
        return directory.resolve(key.substring(0, 2)).resolve(key + ".features");
    }

    private static int checksum(byte[] features) {
        CRC32C crc = new CRC32C();
        crc.update(features);
        return (int) crc.getValue();
    }
}
