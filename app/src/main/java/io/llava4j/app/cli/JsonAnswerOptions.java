package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.generate.constrain.JsonConstraint;
import io.llava4j.io.FileErrors;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.json.JsonMapper;

/** Options of verbs whose answers can be JSON documents. */
final class JsonAnswerOptions {
    @Option(
            names = "--json-schema",
            paramLabel = "FILE",
            description =
                    "Let the answer be a JSON document that fits the schema in this file; see docs/constrained-decoding.md.")
    private @Nullable Path schema;

    @Option(names = "--json-object", description = "Let the answer be a JSON object.")
    private boolean object;

    /**
     * Names what the answer may be, for the manifest of a run; empty for anything.
     *
     * @throws io.llava4j.CheckpointException if the schema's file cannot be read
     */
    String name() {
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
     * What the answer may be; null for anything.
     *
     * @param spec of the verb
     * @throws ParameterException if both options are given
     * @throws ConfigException if the file is no schema that can be honoured
     */
    @Nullable
    JsonConstraint constraint(CommandSpec spec) {
        if (schema == null) {
            return object ? JsonConstraint.anyObject() : null;
        }
        if (object) {
            throw new ParameterException(spec.commandLine(), "--json-schema and --json-object exclude each other");
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
