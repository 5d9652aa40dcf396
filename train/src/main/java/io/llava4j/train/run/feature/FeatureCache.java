package io.llava4j.train.run.feature;

import io.llava4j.LlavaException;
import io.llava4j.image.tile.FeatureOrder;
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
 * A folder with the features that a frozen vision tower makes of images, a file for each image with its views. Files are named by the
 * content of the image's file and by all that decides its features, so any runs and processes may share the folder. A file
 * appears when it is complete; one whose checksum or length is wrong counts as damaged and is written anew. Safe for use
 * by many threads.
 */
public final class FeatureCache {
    private static final Logger LOG = LoggerFactory.getLogger(FeatureCache.class);
    private static final int MAGIC = 0x4C4C5646; // LLVF
    private static final int VERSION = 2;

    /** Magic number, version, checksum of the rest; views, length of the order, which follows. */
    private static final int HEADER = 5 * Integer.BYTES;

    private static final int CHECKED = 3 * Integer.BYTES;
    private static final int KEY_BYTES = 20;

    private final Path directory;
    private final byte[] tower;
    private final int bytesPerView;
    private final int largestFile;
    private final AtomicInteger damaged = new AtomicInteger();
    private final AtomicBoolean warned = new AtomicBoolean();
    private final AtomicBoolean writable = new AtomicBoolean(true);

    /**
     * A cache of one tower.
     *
     * @param directory is created if it is missing
     * @param tower all that decides an image's features besides its file: weights, layer, preprocessing, precision
     * @param model whose features they are
     * @param precision their type
     * @throws LlavaException if the folder cannot be created
     */
    public FeatureCache(Path directory, String tower, LlavaConfig model, ComputePrecision precision) {
        this.directory = directory;
        this.tower = tower.getBytes(StandardCharsets.UTF_8);
        this.bytesPerView = bytesPerView(model, precision);
        this.largestFile = HEADER + Math.toIntExact(bytesPerImage(model, precision));
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new LlavaException(
                    "data.feature-cache %s cannot be created; check permissions and that it is a folder"
                            .formatted(directory),
                    e);
        }
    }

    /**
     * What is known of an image.
     *
     * @param order in which the features become tokens
     * @param features of all its views, {@code [views, features, hidden]}
     */
    public record Entry(FeatureOrder order, byte[] features) {}

    /** Most bytes of an image's features and their order. */
    public static long bytesPerImage(LlavaConfig model, ComputePrecision precision) {
        long order = model.viewsPerImage() == 1 ? 0 : (long) model.tokensPerImage() * Integer.BYTES;
        return (long) model.viewsPerImage() * bytesPerView(model, precision) + order;
    }

    private static int bytesPerView(LlavaConfig model, ComputePrecision precision) {
        return Math.multiplyExact(model.featuresPerView() * model.featureWidth(), precision.bytes());
    }

    /** Where the files are. */
    public Path directory() {
        return directory;
    }

    /** Bytes of the largest file that an image can have. */
    public int largestFile() {
        return largestFile;
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
            sha.update((byte) VERSION);
            return HexFormat.of().formatHex(sha.digest(file), 0, KEY_BYTES);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** The features of an image; null if they are not there or damaged. */
    public @Nullable Entry find(String key) {
        Path file = file(key);
        byte[] content;
        try {
            content = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return null;
        } catch (IOException e) {
            content = new byte[0];
        }
        Entry entry = entry(content);
        if (entry != null) {
            return entry;
        }
        damaged.incrementAndGet();
        if (!warned.getAndSet(true)) {
            LOG.warn(
                    "{} is damaged or cannot be read; the vision tower computes such images again and their files are replaced",
                    file);
        }
        return null;
    }

    /** What a file holds; null if it is damaged. */
    private @Nullable Entry entry(byte[] content) {
        ByteBuffer buffer = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        if (content.length < HEADER
                || buffer.getInt() != MAGIC
                || buffer.getInt() != VERSION
                || buffer.getInt() != checksum(content)) {
            return null;
        }
        int views = buffer.getInt();
        int[] sources = new int[buffer.getInt()];
        buffer.asIntBuffer().get(sources);
        byte[] features = Arrays.copyOfRange(content, HEADER + sources.length * Integer.BYTES, content.length);
        return features.length == (long) views * bytesPerView
                ? new Entry(new FeatureOrder(views, sources), features)
                : null;
    }

    private byte[] content(Entry entry) {
        int[] sources = entry.order().sources();
        byte[] content = new byte[HEADER + sources.length * Integer.BYTES + entry.features().length];
        ByteBuffer buffer = ByteBuffer.wrap(content)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(MAGIC)
                .putInt(VERSION)
                .putInt(0)
                .putInt(entry.order().views())
                .putInt(sources.length);
        for (int source : sources) {
            buffer.putInt(source);
        }
        buffer.put(entry.features()).putInt(2 * Integer.BYTES, checksum(content));
        return content;
    }

    /** Keeps the features of an image. A folder that cannot be written is reported once and left as it is. */
    public void put(String key, Entry entry) {
        if (entry.features().length != (long) entry.order().views() * bytesPerView) {
            throw new IllegalArgumentException("%d bytes of %d views of %d"
                    .formatted(entry.features().length, entry.order().views(), bytesPerView));
        }
        if (!writable.get()) {
            return;
        }
        Path file = file(key);
        byte[] content = content(entry);
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

    private static int checksum(byte[] content) {
        CRC32C crc = new CRC32C();
        crc.update(content, CHECKED, content.length - CHECKED);
        return (int) crc.getValue();
    }
}
