package io.llava4j.app.cli;

import io.llava4j.generate.constrain.JsonAnswerFormat;
import io.llava4j.generate.constrain.JsonConstraint;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

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
        return new JsonAnswerFormat(schema, object).name();
    }

    /**
     * What the answer may be; null for anything.
     *
     * @param spec of the verb
     * @throws ParameterException if both options are given
     * @throws io.llava4j.ConfigException if the file is no schema that can be honoured
     */
    @Nullable
    JsonConstraint constraint(CommandSpec spec) {
        if (schema != null && object) {
            throw new ParameterException(spec.commandLine(), "--json-schema and --json-object exclude each other");
        }
        return new JsonAnswerFormat(schema, object).constraint();
    }
}
