package io.llava4j.app.chat;

import io.llava4j.ConfigException;
import io.llava4j.generate.GenerationOptions;
import java.util.List;
import java.util.Locale;

/** Decoding options by the names that {@code /set} takes. */
public final class ChatSettings {
    private static final List<String> SETTINGS =
            List.of("temperature", "top-p", "top-k", "repetition-penalty", "max-new-tokens", "seed");

    /** The names, for messages. */
    static final String NAMES = String.join(", ", SETTINGS);

    private ChatSettings() {}

    /**
     * Options with one of them changed.
     *
     * @throws ConfigException if there is no such option or the value is out of range
     */
    public static GenerationOptions with(GenerationOptions old, String name, String value) {
        if (!SETTINGS.contains(name)) {
            throw new ConfigException("there is no setting '" + name + "'; use one of " + NAMES);
        }
        try {
            return new GenerationOptions(
                    name.equals("max-new-tokens") ? Integer.parseInt(value) : old.maxNewTokens(),
                    name.equals("temperature") ? Double.parseDouble(value) : old.temperature(),
                    name.equals("top-p") ? Double.parseDouble(value) : old.topP(),
                    name.equals("top-k") ? Integer.parseInt(value) : old.topK(),
                    name.equals("repetition-penalty") ? Double.parseDouble(value) : old.repetitionPenalty(),
                    name.equals("seed") ? Long.parseLong(value) : old.seed(),
                    old.stop());
        } catch (NumberFormatException e) {
            throw new ConfigException("'" + value + "' is not a valid number for " + name, e);
        }
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
}
