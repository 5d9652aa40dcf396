package io.llava4j;

import org.jspecify.annotations.Nullable;

/** A data file, record or image that cannot be used; the message names file and record. */
public final class DataException extends LlavaException {
    /** @param message one sentence: what, where, what to do */
    public DataException(String message) {
        super(message);
    }

    /**
     * @param message one sentence: what, where, what to do
     * @param cause the underlying failure
     */
    public DataException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
