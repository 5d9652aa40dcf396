package io.llava4j.app.chat;

import io.llava4j.ConfigException;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.Sampler;
import java.util.Locale;

/** Decoding options by name, as {@code /set} knows them. */
public final class ChatSettings {
    /** The names, for messages. */
    static final String NAMES = "temperature, top-p, top-k, repetition-penalty, max-new-tokens, seed";

    private ChatSettings() {}

    /**
     * Options with one of them changed.
     *
     * @throws ConfigException if there is no such option or the value does not suit it
     */
    public static GenerationOptions with(GenerationOptions options, String name, String value) {
        try {
            return checked(
                    switch (name) {
                        case "temperature" -> withTemperature(options, Double.parseDouble(value));
                        case "top-p" -> withTopP(options, Double.parseDouble(value));
                        case "top-k" -> withTopK(options, Integer.parseInt(value));
                        case "repetition-penalty" -> withPenalty(options, Double.parseDouble(value));
                        case "max-new-tokens" -> withMaxNewTokens(options, Integer.parseInt(value));
                        case "seed" -> withSeed(options, Long.parseLong(value));
                        default -> throw new ConfigException("there is no setting '" + name + "'; there are " + NAMES);
                    });
        } catch (NumberFormatException e) {
            throw new ConfigException("'" + value + "' is no number that " + name + " can be set to", e);
        }
    }

    /**
     * The same options.
     *
     * @throws ConfigException if one is out of range
     */
    public static GenerationOptions checked(GenerationOptions options) {
        if (options.maxNewTokens() < 1) {
            throw new ConfigException("max-new-tokens must be 1 or more, not " + options.maxNewTokens());
        }
        if (!Double.isFinite(options.temperature()) || !Double.isFinite(options.repetitionPenalty())) {
            throw new ConfigException("temperature and repetition-penalty must be finite numbers");
        }
        if (options.stop().contains("")) {
            throw new ConfigException("stop must not be an empty text");
        }
        Sampler unused = new Sampler(options);
        return options;
    }

    /** All settings in one line. */
    static String describe(GenerationOptions options) {
        return String.format(
                Locale.ROOT,
                "temperature %s, top-p %s, top-k %d, repetition-penalty %s, max-new-tokens %d, seed %d",
                options.temperature(),
                options.topP(),
                options.topK(),
                options.repetitionPenalty(),
                options.maxNewTokens(),
                options.seed());
    }

    static GenerationOptions withSeed(GenerationOptions o, long seed) {
        return new GenerationOptions(
                o.maxNewTokens(), o.temperature(), o.topP(), o.topK(), o.repetitionPenalty(), seed, o.stop());
    }

    private static GenerationOptions withTemperature(GenerationOptions o, double temperature) {
        return new GenerationOptions(
                o.maxNewTokens(), temperature, o.topP(), o.topK(), o.repetitionPenalty(), o.seed(), o.stop());
    }

    private static GenerationOptions withTopP(GenerationOptions o, double topP) {
        return new GenerationOptions(
                o.maxNewTokens(), o.temperature(), topP, o.topK(), o.repetitionPenalty(), o.seed(), o.stop());
    }

    private static GenerationOptions withTopK(GenerationOptions o, int topK) {
        return new GenerationOptions(
                o.maxNewTokens(), o.temperature(), o.topP(), topK, o.repetitionPenalty(), o.seed(), o.stop());
    }

    private static GenerationOptions withPenalty(GenerationOptions o, double penalty) {
        return new GenerationOptions(
                o.maxNewTokens(), o.temperature(), o.topP(), o.topK(), penalty, o.seed(), o.stop());
    }

    private static GenerationOptions withMaxNewTokens(GenerationOptions o, int tokens) {
        return new GenerationOptions(
                tokens, o.temperature(), o.topP(), o.topK(), o.repetitionPenalty(), o.seed(), o.stop());
    }
}
