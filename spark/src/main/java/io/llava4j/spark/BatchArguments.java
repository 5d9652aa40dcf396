package io.llava4j.spark;

import io.llava4j.app.cli.BatchOptions;
import io.llava4j.train.batch.BatchTask;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * What a batch job was told, as it goes to the executors.
 *
 * @param values arguments of {@link BatchOptions}; paths are absolute, as the driver sees them
 * @param retry whether records that failed in earlier jobs are answered again
 */
record BatchArguments(List<String> values, boolean retry) implements Serializable {
    private static final String MODEL = "--model";

    /**
     * Takes what was told about records and model, and leaves the job's own options.
     *
     * @param options that were parsed
     * @throws ParameterException if no model is named and there is none to take instead
     */
    static BatchArguments of(BatchOptions options, ParseResult parsed) {
        CommandSpec known = CommandSpec.forAnnotatedObject(new BatchOptions());
        List<String> values = new ArrayList<>();
        for (OptionSpec option : parsed.matchedOptionsSet()) {
            String name = option.longestName();
            if (known.findOption(name) != null && !name.equals(MODEL)) {
                texts(option).forEach(text -> values.add(name + "=" + text));
            }
        }
        values.add(MODEL + "=" + options.model().toAbsolutePath());
        parsed.matchedPositionalsSet().forEach(positional -> values.addAll(texts(positional)));
        return new BatchArguments(List.copyOf(values), options.retriesFailed());
    }

    private static List<String> texts(ArgSpec argument) {
        return argument.getValue() instanceof Path path
                ? List.of(path.toAbsolutePath().toString())
                : argument.stringValues();
    }

    /** Reads the input to answer it; the model is loaded when the first record needs it. */
    BatchTask open() {
        return open(retry);
    }

    /**
     * Reads the input to see what is answered, failures included.
     *
     * @throws ParameterException if options contradict each other or the input
     */
    BatchTask look() {
        return open(false);
    }

    private BatchTask open(boolean again) {
        BatchOptions options = new BatchOptions();
        CommandLine command = new CommandLine(options)
                .setCommandName(BatchJob.COMMAND) // for messages
                .setExpandAtFiles(false);
        command.parseArgs(values.toArray(String[]::new));
        return options.open(command.getCommandSpec(), -1, again);
    }
}
