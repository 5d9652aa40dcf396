package io.llava4j.io;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** JSON of untrusted files: duplicate keys, deep nesting and trailing content are refused. */
public final class StrictJson {
    public static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(16)
                            .maxNumberLength(64)
                            .build())
                    .build())
            .build();

    /** The index of a 7B model is 50 kB. */
    private static final long LARGEST_FILE = 64L << 20;

    private StrictJson() {}

    public static ObjectNode object(Path file, byte[] json) {
        JsonNode node;
        try {
            node = MAPPER.readTree(json);
        } catch (JacksonException e) {
            throw new CheckpointException(
                    "%s: the JSON is not well formed: %s".formatted(file, e.getOriginalMessage()), e);
        }
        if (node instanceof ObjectNode object) {
            return object;
        }
        throw new CheckpointException("%s: a JSON object is expected".formatted(file));
    }

    public static ObjectNode object(Path file) {
        try {
            if (Files.size(file) > LARGEST_FILE) {
                throw new CheckpointException(
                        "%s is larger than %d MB: not a configuration file".formatted(file, LARGEST_FILE >> 20));
            }
            return object(file, Files.readAllBytes(file));
        } catch (IOException e) {
            throw FileErrors.cannotRead(file, e);
        }
    }

    /** Indented, ending in a line feed. */
    public static byte[] pretty(JsonNode node) {
        return (MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }
}
