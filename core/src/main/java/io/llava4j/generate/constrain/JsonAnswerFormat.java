package io.llava4j.generate.constrain;

import io.llava4j.ConfigException;
import io.llava4j.io.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the answers of a run may be.
 *
 * @param schema file of a JSON schema that they must fit; null for none
 * @param object whether they must be JSON objects; not with a schema
 */
public record JsonAnswerFormat(@Nullable Path schema, boolean object) {
    /**
     * Names what answers may be, for the manifest of a run; empty for anything.
     *
     * @throws io.llava4j.CheckpointException if the schema's file cannot be read
     */
    public String name() {
        if (schema == null) {
            return object ? "json-object" : "";
        }
        try {
            return "json-schema " + Files.readString(schema);
        } catch (IOException e) {
            throw FileErrors.cannotRead(schema, e);
        }
    }

    /**
     * What answers may be; null for anything.
     *
     * @throws ConfigException if the file is no schema that can be honoured
     */
    public @Nullable JsonConstraint constraint() {
        if (schema == null) {
            return object ? JsonConstraint.anyObject() : null;
        }
        try {
            // Not as strict about nesting as for files that models come with: schemas are deep.
            JsonMapper mapper = JsonMapper.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .build();
            return JsonConstraint.schema(mapper.readTree(Files.readAllBytes(schema)));
        } catch (IOException e) {
            throw FileErrors.cannotRead(schema, e);
        } catch (JacksonException e) {
            throw new ConfigException(
                    "%s: the JSON is not well formed: %s".formatted(schema, e.getOriginalMessage()), e);
        } catch (ConfigException e) {
            throw new ConfigException("%s: %s".formatted(schema, e.getMessage()), e);
        }
    }
}
