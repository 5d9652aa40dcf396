package io.llava4j.train.data.raw;

import io.llava4j.DataException;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.function.LongConsumer;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/** A file of annotations, plain or gzipped, that is read completely and hashed at the same time. */
public final class RawFile {
    private static final int BUFFER = 1 << 16;
    private static final int GZIP_MAGIC = 0x1f8b;

    private final Path path;
    private final LongConsumer bytesRead;
    private @Nullable String sha256;

    /**
     * @param path of the file
     * @param bytesRead called repeatedly with the number of bytes read since the last call; may throw to stop
     */
    public RawFile(Path path, LongConsumer bytesRead) {
        this.path = path;
        this.bytesRead = bytesRead;
    }

    /** Path of the file on disk. */
    public Path path() {
        return path;
    }

    /** SHA-256 of the bytes on disk in hexadecimal digits; null before the file was read completely. */
    public @Nullable String sha256() {
        return sha256;
    }

    /** Reads the content. */
    @FunctionalInterface
    interface Content<T> {
        T read(InputStream in) throws IOException;
    }

    /**
     * Opens the file, unpacks it if it is gzipped, and reads it to its end.
     *
     * @throws DataException if it is missing or cannot be read
     */
    <T> T read(Content<T> content) {
        try (Hashing raw = new Hashing(Files.newInputStream(path));
                BufferedInputStream in = new BufferedInputStream(raw, BUFFER)) {
            T result = content.read(isGzip(in) ? new GZIPInputStream(in, BUFFER) : in);
            in.transferTo(OutputStream.nullOutputStream());
            sha256 = HexFormat.of().formatHex(raw.digest.digest());
            return result;
        } catch (NoSuchFileException e) {
            throw new DataException(path + " does not exist; download it or correct the path", e);
        } catch (IOException e) {
            throw new DataException("%s cannot be read: %s".formatted(path, e.getMessage()), e);
        }
    }

    private static boolean isGzip(BufferedInputStream in) throws IOException {
        in.mark(2);
        int magic = in.read() << 8 | in.read();
        in.reset();
        return magic == GZIP_MAGIC;
    }

    private final class Hashing extends FilterInputStream {
        private final MessageDigest digest;

        Hashing(InputStream in) {
            super(in);
            try {
                digest = MessageDigest.getInstance("SHA-256");
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("every Java platform has SHA-256", e);
            }
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int count = in.read(bytes, offset, length);
            if (count > 0) {
                digest.update(bytes, offset, count);
                bytesRead.accept(count);
            }
            return count;
        }
    }
}
