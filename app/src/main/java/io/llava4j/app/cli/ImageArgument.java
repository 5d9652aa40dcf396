package io.llava4j.app.cli;

import io.llava4j.DataException;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;
import java.io.IOException;
import java.io.InputStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Locale;
import java.util.regex.Pattern;

/** An image as a user names it: a path, a data URL (RFC 2397), or {@code -} for stdin. Addresses are not fetched. */
final class ImageArgument {
    private static final Pattern ADDRESS = Pattern.compile("(?i)[a-z][a-z0-9+.-]*://.*");
    private static final String STDIN = "-";
    private static final String DATA = "data:";
    private static final String BASE64 = ";base64";

    private ImageArgument() {}

    /**
     * Reads and decodes it.
     *
     * @throws DataException if it is no image that can be read, in one sentence
     */
    static RgbImage decode(String argument, InputStream stdin, ExifOrientation orientation) {
        if (argument.equals(STDIN)) {
            return ImageDecoder.decode(read(stdin), "from stdin", orientation);
        }
        return decode(argument, orientation);
    }

    /** As {@link #decode(String, InputStream, ExifOrientation)}, where stdin is used for something else. */
    static RgbImage decode(String argument, ExifOrientation orientation) {
        if (argument.equals(STDIN)) {
            throw new DataException("stdin is the conversation; name an image file");
        }
        if (argument.toLowerCase(Locale.ROOT).startsWith(DATA)) {
            return ImageDecoder.decode(bytes(argument), shown(argument), orientation);
        }
        if (ADDRESS.matcher(argument).matches()) {
            throw new DataException("image %s is an address; addresses are not fetched, download it and name the file"
                    .formatted(argument));
        }
        try {
            return ImageDecoder.decode(Path.of(argument), orientation);
        } catch (InvalidPathException e) {
            throw new DataException("image '%s' is no path; name an image file".formatted(argument), e);
        }
    }

    /** The argument for messages and documents: of a data URL only what stands before its data. */
    static String shown(String argument) {
        boolean data = argument.toLowerCase(Locale.ROOT).startsWith(DATA);
        return data
                ? argument.substring(0, Math.max(DATA.length(), Math.min(argument.indexOf(','), 60))) + ",…"
                : argument;
    }

    private static byte[] read(InputStream stdin) {
        try {
            return stdin.readNBytes((int) ImageDecoder.MAX_FILE_BYTES + 1);
        } catch (IOException e) {
            throw new DataException("the image on stdin cannot be read: " + e.getMessage(), e);
        }
    }

    private static byte[] bytes(String url) {
        int comma = url.indexOf(',');
        if (comma < 0) {
            throw new DataException("image %s is no data URL: it has no comma before its data".formatted(shown(url)));
        }
        String data = url.substring(comma + 1);
        try {
            if (url.substring(0, comma).toLowerCase(Locale.ROOT).endsWith(BASE64)) {
                return Base64.getMimeDecoder()
                        .decode(data.replace("%2B", "+").replace("%2F", "/").replace("%3D", "="));
            }
            return URLDecoder.decode(data.replace("+", "%2B"), StandardCharsets.ISO_8859_1)
                    .getBytes(StandardCharsets.ISO_8859_1);
        } catch (IllegalArgumentException e) {
            throw new DataException("image %s is no data URL: %s".formatted(shown(url), e.getMessage()), e);
        }
    }
}
