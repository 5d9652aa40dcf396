package io.llava4j.image;

import io.llava4j.DataException;
import io.llava4j.io.ForeignContent;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An image file in memory with a reading position; every read past the end is refused as a truncated image. */
final class ImageBytes {
    private final byte[] bytes;
    private final String name;
    private int position;

    ImageBytes(byte[] bytes, String name) {
        this.bytes = bytes;
        this.name = name;
    }

    byte[] array() {
        return bytes;
    }

    int position() {
        return position;
    }

    int remaining() {
        return bytes.length - position;
    }

    void seek(int to) {
        position = to;
    }

    /** Advances by {@code count} bytes, which must exist. */
    void skip(long count) {
        require(count);
        position += (int) count;
    }

    int u8() {
        require(1);
        return bytes[position++] & 0xff;
    }

    int u16be() {
        return u8() << 8 | u8();
    }

    int u16le() {
        return u8() | u8() << 8;
    }

    int u24le() {
        return u16le() | u8() << 16;
    }

    long u32be() {
        return (long) u16be() << 16 | u16be();
    }

    long u32le() {
        return u16le() | (long) u16le() << 16;
    }

    String ascii(int length) {
        require(length);
        String text = new String(bytes, position, length, StandardCharsets.ISO_8859_1);
        position += length;
        return text;
    }

    /** Whether the file has the characters of {@code text}, one byte each, at {@code offset}. */
    boolean matches(int offset, String text) {
        byte[] wanted = text.getBytes(StandardCharsets.ISO_8859_1);
        if (offset + wanted.length > bytes.length) {
            return false;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (bytes[offset + i] != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    void require(long count) {
        if (count > remaining()) {
            throw truncated("the file ends after %d bytes, in the middle of the image".formatted(bytes.length));
        }
    }

    /** Refuses hostile sizes before memory is allocated for them. */
    void checkSize(long width, long height) {
        if (width < 1 || height < 1) {
            throw corrupt("its header claims %d x %d pixels".formatted(width, height));
        }
        if (width > ImageDecoder.MAX_EDGE
                || height > ImageDecoder.MAX_EDGE
                || width * height > ImageDecoder.MAX_PIXELS) {
            throw refused(
                    "is too large: its header claims %d x %d pixels, more than the limit of %d pixels in all and %d per edge"
                            .formatted(width, height, ImageDecoder.MAX_PIXELS, ImageDecoder.MAX_EDGE),
                    "scale it down");
        }
    }

    DataException tooLong() {
        return refused(
                "has %d bytes, more than the limit of %d".formatted(bytes.length, ImageDecoder.MAX_FILE_BYTES),
                "scale it down");
    }

    DataException truncated(String what) {
        return refused("is truncated: " + what, "get a complete copy or leave it out");
    }

    DataException corrupt(String what) {
        return corrupt(what, null);
    }

    DataException corrupt(String what, @Nullable Throwable cause) {
        return new DataException(
                "image %s is corrupt: %s; get an intact copy or leave it out".formatted(name, what), cause);
    }

    DataException unsupported(String what) {
        return refused("cannot be read: " + what, "convert it to PNG or baseline JPEG");
    }

    /** The error for a file that is not an image, naming what it is instead. */
    DataException unknown() {
        Optional<String> foreign = ForeignContent.describe(bytes);
        if (foreign.isPresent()) {
            return new DataException("image %s %s".formatted(name, foreign.get()));
        }
        String lower = new String(bytes, 0, Math.min(bytes.length, 64), StandardCharsets.ISO_8859_1)
                .stripLeading()
                .toLowerCase(Locale.ROOT);
        if (lower.startsWith("<svg") || lower.startsWith("<?xml")) {
            return refused("is an XML or SVG file, not a pixel image", "render it to PNG");
        }
        return unsupported(OtherFormat.of(this)
                .map("it is %s, not a JPEG, PNG, GIF, BMP, WebP or TIFF file"::formatted)
                .orElse("it is not a JPEG, PNG, GIF, BMP, WebP or TIFF file"));
    }

    private DataException refused(String what, String remedy) {
        return new DataException("image %s %s; %s".formatted(name, what, remedy));
    }
}
