package io.llava4j.app.serve.http;

import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** JSON of requests and responses. Parsing is strict: duplicate keys, deep nesting and trailing content are errors. */
public final class Json {
    /** Deep enough for every request; a JSON schema is the deepest part. */
    private static final int MAX_DEPTH = 64;

    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(64)
                            .maxNameLength(1000)
                            .maxStringLength(Integer.MAX_VALUE) // the body is bounded
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    /**
     * Parses the body of a request.
     *
     * @throws ApiException if it is not one well-formed object
     */
    public static ObjectNode parse(byte[] body) {
        if (body.length == 0) {
            throw new ApiException(ApiException.Kind.INVALID, "the request has no body; send a JSON object");
        }
        return parse(body, "the body");
    }

    /**
     * Parses an object.
     *
     * @param what it is, for messages
     * @throws ApiException if it is not one well-formed object
     */
    public static ObjectNode parse(byte[] body, String what) {
        JsonNode node;
        try {
            node = MAPPER.readTree(body);
        } catch (JacksonException e) {
            String where = e.getLocation() == null
                    ? ""
                    : " (line %d, column %d)"
                            .formatted(
                                    e.getLocation().getLineNr(), e.getLocation().getColumnNr());
            throw new ApiException(
                    ApiException.Kind.INVALID,
                    "%s is not well-formed JSON%s: %s".formatted(what, where, reason(e.getOriginalMessage())));
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw new ApiException(ApiException.Kind.INVALID, what + " must be a JSON object");
    }

    /** The parser's reason, without the names of its classes. */
    private static String reason(String message) {
        if (message.startsWith("Trailing token")) {
            return "there is more after the first value";
        }
        String line = message.replaceAll("[\\s\\p{Cntrl}]+", " ")
                .replaceAll(" \\(start marker at .*", "")
                .replaceAll("[:;,(]?[^:;,(`]*`[^`]*`.*", "") // a feature of the parser that would allow it
                .strip();
        return line.length() <= 200 ? line : line.substring(0, 200) + "…";
    }

    /** An empty object. */
    public static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }

    /** An empty array. */
    public static ArrayNode array() {
        return JsonNodeFactory.instance.arrayNode();
    }

    /** On one line, in UTF-8. */
    public static byte[] bytes(JsonNode node) {
        return text(node).getBytes(StandardCharsets.UTF_8);
    }

    /** On one line. */
    public static String text(JsonNode node) {
        return MAPPER.writeValueAsString(node);
    }
}
