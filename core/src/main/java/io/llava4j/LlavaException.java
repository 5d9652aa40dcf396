package io.llava4j;

import org.jspecify.annotations.Nullable;

/**
 * Root of every error llava4j reports to its user. The message is one clear sentence: what is wrong, where (file,
 * line, record or tensor) and what to do about it. Any other exception that reaches the user is a bug.
 */
public class LlavaException extends RuntimeException {
    /** @param message one sentence: what, where, what to do */
    public LlavaException(String message) {
        super(message);
    }

    /**
     * @param message one sentence: what, where, what to do
     * @param cause the underlying failure, shown with {@code --debug}
     */
    public LlavaException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
