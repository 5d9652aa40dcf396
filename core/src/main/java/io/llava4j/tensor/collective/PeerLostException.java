package io.llava4j.tensor.collective;

import io.llava4j.LlavaException;
import org.jspecify.annotations.Nullable;

/** This process cannot go on because another one did not come or is gone; the cause is to be looked for there. */
public final class PeerLostException extends LlavaException {
    private static final long serialVersionUID = 1;

    /**
     * @param message names the other process
     * @param cause what the transport said
     */
    public PeerLostException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
