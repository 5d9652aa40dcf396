package io.llava4j.train.data.format;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a ustar archive of plain files without owners and times: the same content gives the same bytes. */
public final class TarWriter implements AutoCloseable {
    private static final int BLOCK = TarEntries.BLOCK;

    private final OutputStream out;
    private long length;

    private TarWriter(OutputStream out) {
        this.out = out;
    }

    /** Creates an archive. */
    public static TarWriter create(Path file) throws IOException {
        return new TarWriter(new BufferedOutputStream(Files.newOutputStream(file), 1 << 16));
    }

    /** Bytes written so far. */
    public long length() {
        return length;
    }

    /**
     * Adds a file.
     *
     * @param name at most 100 bytes
     * @param content of the file
     */
    public void add(String name, byte[] content) throws IOException {
        byte[] header = new byte[BLOCK];
        byte[] nameBytes = name.getBytes(StandardCharsets.UTF_8);
        if (nameBytes.length > 100) {
            throw new IllegalArgumentException("'%s' is longer than the 100 bytes of a ustar name".formatted(name));
        }
        System.arraycopy(nameBytes, 0, header, 0, nameBytes.length);
        octal(header, 100, 8, 0644);
        octal(header, 108, 8, 0);
        octal(header, 116, 8, 0);
        octal(header, 124, 12, content.length);
        octal(header, 136, 12, 0);
        header[156] = '0';
        text(header, 257, "ustar\00000");
        long sum = 8L * ' ';
        for (byte b : header) {
            sum += b & 0xff;
        }
        octal(header, 148, 7, sum);
        header[155] = ' ';
        out.write(header);
        out.write(content);
        int padding = Math.floorMod(-content.length, BLOCK);
        out.write(new byte[padding]);
        length += BLOCK + content.length + padding;
    }

    /** Writes the end-of-archive marker. */
    @Override
    public void close() throws IOException {
        out.write(new byte[2 * BLOCK]);
        out.close();
    }

    private static void octal(byte[] header, int at, int size, long value) {
        text(header, at, ("%0" + (size - 1) + "o").formatted(value));
    }

    private static void text(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }
}
