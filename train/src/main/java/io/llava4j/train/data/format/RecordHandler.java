package io.llava4j.train.data.format;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Takes the rows of a file in their order. */
public interface RecordHandler {
    /** A row; nothing is known of it but that it is JSON. */
    void row(JsonNode row);

    /**
     * A row that cannot be read while those behind it can.
     *
     * @param reason one sentence: what, which line or entry, what to do
     * @param cause what told so
     */
    void refuse(String reason, @Nullable Exception cause);
}
