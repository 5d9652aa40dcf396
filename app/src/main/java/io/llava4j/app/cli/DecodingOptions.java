package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.generate.GenerationOptions;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Options of verbs that write free answers. */
final class DecodingOptions {
    @Option(names = "--max-new-tokens", paramLabel = "N", description = "Longest answer (default: ${DEFAULT-VALUE}).")
    private int maxNewTokens = 512;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 for the likeliest answer, higher for more variety (default: ${DEFAULT-VALUE}).")
    private double temperature = 0;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Draw from the likeliest tokens that make up this share (default: ${DEFAULT-VALUE}).")
    private double topP = 1;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Draw from this many likeliest tokens; 0 for all (default: ${DEFAULT-VALUE}).")
    private int topK = 0;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "R",
            description = "Above 1 to avoid tokens the answer has already (default: ${DEFAULT-VALUE}).")
    private double repetitionPenalty = 1;

    @Option(names = "--seed", paramLabel = "N", description = "Of drawn answers (default: ${DEFAULT-VALUE}).")
    private long seed = 0;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End the answer in front of this text; repeatable.")
    private List<String> stop = new ArrayList<>();

    /**
     * The options, checked.
     *
     * @param spec of the verb
     * @throws ParameterException if one is out of range
     */
    GenerationOptions checked(CommandSpec spec) {
        try {
            return new GenerationOptions(maxNewTokens, temperature, topP, topK, repetitionPenalty, seed, stop);
        } catch (ConfigException e) {
            throw new ParameterException(spec.commandLine(), "--" + e.getMessage(), e);
        }
    }
}
