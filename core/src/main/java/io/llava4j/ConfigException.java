package io.llava4j;

import org.jspecify.annotations.Nullable;

/** A recipe, option or model configuration that cannot be used; the message names the key. */
public final class ConfigException extends LlavaException {
    /** @param message one sentence: what, where, what to do */
    public ConfigException(String message) {
        super(message);
    }

    /**
     * @param message one sentence: what, where, what to do
     * @param cause the underlying failure
     */
    public ConfigException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
