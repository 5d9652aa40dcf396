package io.llava4j.spark;

import io.llava4j.train.batch.BatchTask;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;

/**
 * What a batch job was told, as it goes to the executors.
 *
 * @param values arguments of {@link BatchJobOptions}
 * @param base folder that relative paths begin at
 */
record BatchArguments(List<String> values, String base) implements Serializable {
    /** Arguments whose relative paths begin at the working folder. */
    static BatchArguments of(String... values) {
        return new BatchArguments(List.of(values), Path.of("").toAbsolutePath().toString());
    }

    /** The options that they are. */
    BatchJobOptions options() {
        BatchJobOptions options = new BatchJobOptions();
        new CommandLine(CommandLine.Model.CommandSpec.forAnnotatedObject(options))
                .parseArgs(values.toArray(String[]::new));
        return options;
    }

    /** Reads the input to answer it. */
    BatchTask open() {
        BatchJobOptions options = options();
        return options.open(Path.of(base), options.retriesFailed());
    }

    /** Reads the input to see what is answered. */
    BatchTask look() {
        return options().open(Path.of(base), false);
    }
}
