package io.llava4j.app.serve.request;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * What an answer must be.
 *
 * @param isJson whether it must be a JSON document
 * @param schema that the document must fit; null for any object
 */
public record AnswerFormat(boolean isJson, @Nullable JsonNode schema) {
    /** Free text. */
    public static final AnswerFormat TEXT = new AnswerFormat(false, null);

    /** Any JSON object. */
    public static final AnswerFormat JSON_OBJECT = new AnswerFormat(true, null);

    /** A JSON document of a schema. */
    public static AnswerFormat schema(JsonNode schema) {
        return new AnswerFormat(true, schema);
    }
}
