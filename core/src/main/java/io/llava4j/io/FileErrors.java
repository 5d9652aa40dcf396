package io.llava4j.io;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** One-sentence errors from what the operating system reports about a file. */
public final class FileErrors {
    private FileErrors() {}

    /** The error for a file that cannot be read. */
    public static CheckpointException cannotRead(Path file, IOException cause) {
        return switch (cause) {
            case NoSuchFileException missing -> new CheckpointException("%s does not exist".formatted(file), missing);
            case AccessDeniedException denied -> new CheckpointException("%s may not be read".formatted(file), denied);
            default -> new CheckpointException("%s cannot be read: %s".formatted(file, reason(cause)), cause);
        };
    }

    /** The error for a file or folder that cannot be written; a full disk is named as such. */
    public static CheckpointException cannotWrite(Path target, IOException cause) {
        @Nullable String reason = reason(cause);
        if (reason != null && reason.contains("No space left on device")) {
            return new CheckpointException(
                    "%s cannot be written: the disk is full; free some space and run again".formatted(target), cause);
        }
        return new CheckpointException("%s cannot be written: %s".formatted(target, reason), cause);
    }

    /** Text from an untrusted file for use in a message: without control characters, at most 120 characters. */
    public static String shown(String text) {
        String clean = text.replaceAll("\\p{Cntrl}", "?");
        return clean.length() <= 120 ? clean : clean.substring(0, 120) + "…";
    }

    private static @Nullable String reason(IOException cause) {
        if (cause instanceof AccessDeniedException) {
            return "permission denied";
        }
        @Nullable String reason = cause instanceof FileSystemException system ? system.getReason() : cause.getMessage();
        return reason == null ? cause.toString() : reason;
    }
}
