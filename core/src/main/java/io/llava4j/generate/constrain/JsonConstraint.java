package io.llava4j.generate.constrain;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;

/**
 * Answers that are JSON documents of a schema (docs/constrained-decoding.md). Immutable and thread-safe; {@link #start} gives the
 * constraint of one answer.
 */
public final class JsonConstraint {
    private final TokenTrie tokens;
    private final ValueRule rule;

    private JsonConstraint(TokenTrie tokens, ValueRule rule) {
        this.tokens = tokens;
        this.rule = rule;
    }

    /**
     * Answers that fit a JSON schema.
     *
     * @throws io.llava4j.ConfigException if the schema uses a keyword that cannot be honoured, or no document fits it
     */
    public static JsonConstraint schema(JsonNode schema, TokenTrie tokens) {
        return new JsonConstraint(tokens, SchemaCompiler.compile(schema));
    }

    /** Answers that are any JSON object. */
    public static JsonConstraint anyObject(TokenTrie tokens) {
        return schema(JsonNodeFactory.instance.objectNode().put("type", "object"), tokens);
    }

    /** A constraint for one answer. */
    public TokenConstraint start() {
        return new JsonAnswer(tokens, new ValueState(rule, 0, Whitespace.NONE, new EndState(Whitespace.NONE)));
    }
}
