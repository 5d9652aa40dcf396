package io.llava4j.fuzz;

import io.llava4j.LlavaException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A temporary file that readers under fuzzing are pointed at, and what is asked of their refusals. */
final class FuzzFile {
    private final Path file;

    /** @param name the file's own name; it stands in a folder of its own */
    FuzzFile(String name) {
        try {
            Path folder = Files.createTempDirectory("llava4j-fuzz");
            file = folder.resolve(name);
            folder.toFile().deleteOnExit();
            file.toFile().deleteOnExit();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The file, with this content. */
    Path of(byte[] bytes) {
        try {
            // A new file each time: an older one may still be mapped.
            Files.deleteIfExists(file);
            return Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A refusal is one line of readable length. */
    static void requireOneSentence(LlavaException refused) {
        String message = String.valueOf(refused.getMessage());
        if (message.lines().count() != 1 || message.length() > 2000) {
            throw new AssertionError("not one sentence: " + message);
        }
    }
}
