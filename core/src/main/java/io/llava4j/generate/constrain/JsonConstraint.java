package io.llava4j.generate.constrain;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Answers that are JSON documents of a schema (docs/constrained-decoding.md). It knows no model, and serves any number of answers.
 * Immutable and thread-safe.
 */
public final class JsonConstraint {
    private final ValueRule rule;

    private JsonConstraint(ValueRule rule) {
        this.rule = rule;
    }

    /**
     * Answers that fit a JSON schema.
     *
     * @throws io.llava4j.ConfigException if the schema uses a keyword that cannot be honoured, or no document fits it
     */
    public static JsonConstraint schema(JsonNode schema) {
        return new JsonConstraint(SchemaCompiler.compile(schema));
    }

    /** Answers that are any JSON object. */
    public static JsonConstraint anyObject() {
        return schema(JsonNodeFactory.instance.objectNode().put("type", "object"));
    }

    /** The constraint of one answer by a model with those tokens. */
    public TokenConstraint start(TokenTrie tokens) {
        return new JsonAnswer(tokens, new ValueState(rule, 0, Whitespace.NONE, new EndState(Whitespace.NONE)));
    }
}
