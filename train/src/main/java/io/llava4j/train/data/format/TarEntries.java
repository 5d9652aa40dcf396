package io.llava4j.train.data.format;

import io.llava4j.DataException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Iterates over the headers of a tar file: ustar, with long names and sizes as GNU tar and pax write them. */
final class TarEntries {
    static final int BLOCK = 512;
    private static final int MAX_EXTENSION = 1 << 20;

    private final Path path;
    private final FileChannel file;
    private final long end;
    private long position;

    /**
     * An entry.
     *
     * @param name path in the archive; not to be trusted before it is checked
     * @param type ustar's type flag
     * @param offset of its content in the file
     * @param length of its content
     */
    record Entry(String name, char type, long offset, long length) {
        boolean isFile() {
            return type == '0' || type == '\0' || type == '7';
        }

        boolean isFolder() {
            return type == '5';
        }
    }

    TarEntries(Path path, FileChannel file) throws IOException {
        this.path = path;
        this.file = file;
        this.end = file.size();
    }

    /** The next entry; null at the end. */
    @Nullable
    Entry next() throws IOException {
        String longName = null;
        long longSize = -1;
        while (position < end) {
            if (end - position < BLOCK) {
                throw broken("ends within a header");
            }
            byte[] header = read(file, position, BLOCK).array();
            if (isZero(header)) {
                return null;
            }
            check(header);
            char type = (char) (header[156] & 0xff);
            long size = longSize >= 0 && type != 'x' && type != 'g' ? longSize : number(header, 124, 12);
            long offset = position + BLOCK;
            if (size < 0 || size > end - offset) {
                throw broken("ends within an entry of %d bytes".formatted(size));
            }
            position = offset + Math.ceilDiv(size, BLOCK) * BLOCK;
            if (type == 'L' || type == 'x') {
                if (size > MAX_EXTENSION) {
                    throw broken("has a name of %d bytes".formatted(size));
                }
                byte[] content = read(file, offset, (int) size).array();
                if (type == 'L') {
                    longName = text(content, 0, content.length);
                } else {
                    String name = pax(content, "path");
                    longName = name == null ? longName : name;
                    String paxSize = pax(content, "size");
                    longSize = paxSize == null ? longSize : parse(paxSize);
                }
            } else if (type != 'g' && type != 'K') {
                return new Entry(longName == null ? name(header) : longName, type, offset, size);
            }
        }
        return null;
    }

    /** Reads bytes of a file. */
    static ByteBuffer read(FileChannel file, long offset, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length);
        while (bytes.hasRemaining()) {
            if (file.read(bytes, offset + bytes.position()) < 0) {
                throw new EOFException("it ends too early");
            }
        }
        return bytes.flip();
    }

    private void check(byte[] header) {
        long sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xff;
        }
        if (sum != number(header, 148, 8)) {
            throw broken("has a damaged header");
        }
    }

    private static String name(byte[] header) {
        String name = text(header, 0, 100);
        boolean ustar = text(header, 257, 5).equals("ustar") && header[262] == 0;
        String prefix = ustar ? text(header, 345, 155) : "";
        return prefix.isEmpty() ? name : prefix + "/" + name;
    }

    /** Octal digits, or big-endian binary where the first bit is set. */
    private long number(byte[] header, int at, int length) {
        if ((header[at] & 0x80) != 0) {
            long value = header[at] & 0x3f;
            for (int i = at + 1; i < at + length; i++) {
                if (value >>> 55 != 0) {
                    throw broken("has a number that is too large");
                }
                value = value << 8 | header[i] & 0xff;
            }
            return value;
        }
        long value = 0;
        for (int i = at; i < at + length; i++) {
            byte c = header[i];
            if (c >= '0' && c <= '7') {
                value = value * 8 + c - '0';
            } else if (c != ' ' && c != 0) {
                throw broken("has a damaged header");
            }
        }
        return value;
    }

    /** A value of pax records, {@code "length key=value\n"} each; null if there is none. */
    private @Nullable String pax(byte[] content, String key) {
        String value = null;
        int at = 0;
        while (at < content.length && content[at] != 0) {
            int space = at;
            while (space < content.length && content[space] != ' ') {
                space++;
            }
            long length = parse(text(content, at, space - at));
            if (length <= space - at || at + length > content.length) {
                throw broken("has damaged pax records");
            }
            String record = new String(content, space + 1, (int) (at + length - space - 2), StandardCharsets.UTF_8);
            if (record.startsWith(key + "=")) {
                value = record.substring(key.length() + 1);
            }
            at += (int) length;
        }
        return value;
    }

    private long parse(String digits) {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw new DataException(
                    "%s is a damaged tar file: '%s' is no number; download it again".formatted(path, digits), e);
        }
    }

    private static String text(byte[] bytes, int at, int most) {
        int length = 0;
        while (length < most && bytes[at + length] != 0) {
            length++;
        }
        return new String(bytes, at, length, StandardCharsets.UTF_8);
    }

    private static boolean isZero(byte[] header) {
        return Arrays.equals(header, new byte[BLOCK]);
    }

    private DataException broken(String what) {
        return new DataException("%s %s at byte %d; download it again".formatted(path, what, position));
    }
}
