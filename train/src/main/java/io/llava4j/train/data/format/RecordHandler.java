package io.llava4j.train.data.format;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Takes the rows of a file, in their order. */
public interface RecordHandler {
    /** Whether rows without an answer are of use: those of a file of questions. */
    default boolean takesQuestions() {
        return false;
    }

    /** Takes a row, any JSON value. */
    void row(JsonNode row);

    /**
     * Takes note of a row that cannot be read; the rows after it can.
     *
     * @param reason one sentence: what, which line or entry, what to do
     * @param cause the exception, if there was one
     */
    void reject(String reason, @Nullable Exception cause);
}
