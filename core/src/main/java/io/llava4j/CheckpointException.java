package io.llava4j;

import org.jspecify.annotations.Nullable;

/** A weight or tokenizer file that cannot be read or written; the message names file and tensor. */
public final class CheckpointException extends LlavaException {
    /** @param message one sentence: what, where, what to do */
    public CheckpointException(String message) {
        super(message);
    }

    /**
     * @param message one sentence: what, where, what to do
     * @param cause the underlying failure
     */
    public CheckpointException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
