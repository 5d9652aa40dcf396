package io.llava4j.train.data.format;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** First bytes of image files. */
final class ImageSignature {
    private ImageSignature() {}

    /**
     * The extension of a file that begins so.
     *
     * @param head at least 10 bytes
     * @return {@code jpg}, {@code png}, {@code gif}, {@code webp} or {@code bmp}; null for other files
     */
    static @Nullable String of(byte[] head) {
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (text.startsWith("\u00ff\u00d8\u00ff")) {
            return "jpg";
        }
        if (text.startsWith("\u0089PNG\r\n")) {
            return "png";
        }
        if (text.startsWith("GIF8")) {
            return "gif";
        }
        if (text.startsWith("RIFF") && (text.length() < 12 || text.startsWith("WEBP", 8))) {
            return "webp";
        }
        return text.startsWith("BM") && text.startsWith("\0\0\0\0", 6) ? "bmp" : null;
    }
}
