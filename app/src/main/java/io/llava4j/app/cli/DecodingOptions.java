package io.llava4j.app.cli;

import io.llava4j.ConfigException;
import io.llava4j.generate.GenerationOptions;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Decoding options of verbs that generate text. */
final class DecodingOptions {
    @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            description = "Maximum length of the answer (default: ${DEFAULT-VALUE}).")
    private int maxNewTokens = 512;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 for greedy decoding, higher values for more variety (default: ${DEFAULT-VALUE}).")
    private double temperature = 0;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Sample from the most likely tokens with this total probability (default: ${DEFAULT-VALUE}).")
    private double topP = 1;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description = "Sample from the K most likely tokens; 0 for all (default: ${DEFAULT-VALUE}).")
    private int topK = 0;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "R",
            description = "Above 1 to avoid tokens that the answer already contains (default: ${DEFAULT-VALUE}).")
    private double repetitionPenalty = 1;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of sampling (default: ${DEFAULT-VALUE}).")
    private long seed = 0;

    @Option(names = "--stop", paramLabel = "TEXT", description = "End the answer before this text; repeatable.")
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
