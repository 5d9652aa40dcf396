package io.llava4j.generate.constrain;

import tools.jackson.databind.JsonNode;

/** Answers that are JSON documents of a schema. Immutable and thread-safe; {@link #start} gives the constraint of one answer. */
public final class JsonConstraint {
    private JsonConstraint() {}

    /**
     * Answers that fit a JSON schema.
     *
     * @throws io.llava4j.ConfigException if the schema uses a keyword that cannot be honoured, or no document fits it
     */
    public static JsonConstraint schema(JsonNode schema, TokenTrie tokens) {
        throw new UnsupportedOperationException();
    }

    /** Answers that are any JSON object. */
    public static JsonConstraint anyObject(TokenTrie tokens) {
        throw new UnsupportedOperationException();
    }

    /** A constraint for one answer. */
    public TokenConstraint start() {
        throw new UnsupportedOperationException();
    }
}
