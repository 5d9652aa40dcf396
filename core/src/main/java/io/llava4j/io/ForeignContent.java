package io.llava4j.io;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** What a file is that should have been another one, where its first bytes show it: the usual accidents of a download. */
public final class ForeignContent {
    private static final int BEGIN = 256;

    private ForeignContent() {}

    /**
     * Describes such a file.
     *
     * @param begin its first bytes, or all of them
     * @return what it is and what to do, to follow the file's name; empty for any other content
     */
    public static Optional<String> describe(byte[] begin) {
        String text = new String(begin, 0, Math.min(begin.length, BEGIN), StandardCharsets.ISO_8859_1)
                .replaceFirst("^\u00ef\u00bb\u00bf", "")
                .stripLeading()
                .toLowerCase(Locale.ROOT);
        if (text.startsWith("version https://git-lfs.github.com/")) {
            return Optional.of("is a Git LFS pointer, not the file itself; run `git lfs pull`");
        }
        if (text.startsWith("<!doctype html") || text.startsWith("<html")) {
            return Optional.of("is a web page, not the file itself; download the file again");
        }
        if (text.startsWith("\u00ff\u00fe") || text.startsWith("\u00fe\u00ff")) {
            return Optional.of("is text in UTF-16; save it in UTF-8");
        }
        return Optional.empty();
    }

    /** As {@link #describe(byte[])}, for a file on disk; empty where it cannot be read. */
    public static Optional<String> describe(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(file)) {
            return describe(in.readNBytes(BEGIN));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
