package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Images that are in the records themselves, as data URLs or bare base64. They are copied into a temporary file, which is
 * deleted when the data set is closed. Filled by one thread, then read by many.
 */
public final class EmbeddedImages implements Images {
    private static final String REMEDY = "; write it to a file and name its path";

    private final String prefix;
    private final Set<String> names = new HashSet<>();
    private @Nullable FileChannel storage;
    private @Nullable ImageArchive archive;

    /** @param file the data file */
    public EmbeddedImages(Path file) {
        this.prefix = file.getFileName() + "/";
    }

    /** Whether the value of a record is an image and not a path. */
    public static boolean isEmbedded(String image) {
        return ImageLocator.isEmbedded(image);
    }

    /** Whether a record had this image in itself. */
    public boolean contains(String image) {
        return names.contains(image);
    }

    /** Whether no record had an image in itself. */
    public boolean isEmpty() {
        return names.isEmpty();
    }

    /**
     * Adds an image.
     *
     * @param text data URL or base64
     * @return the name of the image; the same for the same image
     * @throws DataException if it is damaged, too large, or not an image
     */
    public String add(String text) {
        byte[] bytes = decoded(text);
        String extension = ImageSignature.of(bytes);
        if (extension == null) {
            throw new DataException(
                    "the image is in the record itself, but is neither JPEG, PNG, GIF, WebP nor BMP" + REMEDY);
        }
        if (bytes.length > ImageDecoder.MAX_FILE_BYTES) {
            throw new DataException("its image has %d bytes, more than the limit of %d; scale it down"
                    .formatted(bytes.length, ImageDecoder.MAX_FILE_BYTES));
        }
        String name = prefix + digest(bytes) + "." + extension;
        if (names.contains(name)) {
            return name;
        }
        try {
            FileChannel file = storage();
            long offset = file.size();
            ByteBuffer buffer = ByteBuffer.wrap(bytes);
            while (buffer.hasRemaining()) {
                file.write(buffer, offset + buffer.position());
            }
            names.add(archive().add(name, name, file, offset, bytes.length));
        } catch (IOException e) {
            throw new DataException(
                    "its image cannot be copied into a temporary file: %s; free disk space".formatted(e.getMessage()),
                    e);
        }
        return name;
    }

    private FileChannel storage() throws IOException {
        if (storage == null) {
            storage = FileChannel.open(
                    Files.createTempFile("llava-images", ".bin"),
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.DELETE_ON_CLOSE);
            archive = new ImageArchive(List.of(storage));
        }
        return storage;
    }

    private ImageArchive archive() {
        if (archive == null) {
            throw new DataException("no record has an image in itself");
        }
        return archive;
    }

    private static byte[] decoded(String text) {
        String base64 = text.strip();
        if (base64.regionMatches(true, 0, "data:", 0, 5)) {
            int comma = base64.indexOf(',');
            if (comma < 0
                    || !base64.substring(0, comma).toLowerCase(Locale.ROOT).endsWith(";base64")) {
                throw new DataException("the image is in the record itself, but not in base64" + REMEDY);
            }
            base64 = base64.substring(comma + 1);
        }
        try {
            return Base64.getDecoder()
                    .decode(base64.replaceAll("\\s", "").replace('-', '+').replace('_', '/'));
        } catch (IllegalArgumentException e) {
            throw new DataException("the image is in the record itself, but its base64 is damaged" + REMEDY, e);
        }
    }

    private static String digest(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return HexFormat.of().formatHex(digest, 0, 12);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    @Override
    public byte[] bytes(String image) {
        return archive().bytes(image);
    }

    @Override
    public long size(String image) {
        return archive().size(image);
    }

    @Override
    public void close() {
        if (archive != null) {
            archive.close();
        }
    }

    /** These images together with others, which are looked for if no record has the image in itself. */
    public Images orElse(Images others) {
        EmbeddedImages embedded = this;
        return new Images() {
            private Images of(String image) {
                return embedded.contains(image) ? embedded : others;
            }

            @Override
            public byte[] bytes(String image) {
                return of(image).bytes(image);
            }

            @Override
            public void require(String image) {
                of(image).require(image);
            }

            @Override
            public long size(String image) {
                return of(image).size(image);
            }

            @Override
            public RgbImage decode(String image, ExifOrientation orientation) {
                return of(image).decode(image, orientation);
            }

            @Override
            public void close() {
                embedded.close();
                others.close();
            }
        };
    }
}
