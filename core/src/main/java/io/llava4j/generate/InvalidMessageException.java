package io.llava4j.generate;

import io.llava4j.LlavaException;

/** A message of a request that the model cannot be asked. */
public final class InvalidMessageException extends LlavaException {
    private final String where;

    /**
     * @param where the message stands in the request
     * @param message one sentence: what, where, what to do
     */
    public InvalidMessageException(String where, String message) {
        super(message);
        this.where = where;
    }

    /** Where it stands in the request, such as {@code messages[0].content}. */
    public String where() {
        return where;
    }
}
