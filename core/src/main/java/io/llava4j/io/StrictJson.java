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

/** Parses JSON from untrusted files: duplicate keys, deep nesting and trailing content are errors. */
public final class StrictJson {
    /** The strict mapper itself, for trees. */
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

    /**
     * Parses an object.
     *
     * @param file for messages
     * @throws CheckpointException if the JSON is not well formed or not an object
     */
    public static ObjectNode object(Path file, byte[] json) {
        ForeignContent.describe(json).ifPresent(what -> {
            throw new CheckpointException("%s %s".formatted(file, what));
        });
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
        throw new CheckpointException("%s: a JSON object is expected%s"
                .formatted(file, json.length == 0 ? ", but the file is empty; fetch it again" : ""));
    }

    /**
     * Reads a file that holds one object.
     *
     * @throws CheckpointException if it cannot be read, is too large or not such a file
     */
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

    /** Indented JSON with a line feed at the end, in UTF-8. */
    public static byte[] pretty(JsonNode node) {
        return (MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(node) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }
}
