package io.llava4j.text;

import io.llava4j.CheckpointException;
import io.llava4j.io.ForeignContent;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a {@code tokenizer_config.json} adds to the vocabulary.
 *
 * @param legacy whether every segment after a special token begins with a dummy space; true if the file does not say
 * @param padToken text of the padding token, if named
 * @param saysLegacy whether the file says so
 */
record TokenizerConfig(boolean legacy, @Nullable String padToken, boolean saysLegacy) {
    static final String FILE = "tokenizer_config.json";

    TokenizerConfig(boolean legacy, @Nullable String padToken) {
        this(legacy, padToken, true);
    }

    /** These settings with the mode that another file gives, unless this one gives it. */
    TokenizerConfig withDefaultLegacy(boolean other) {
        return saysLegacy ? this : new TokenizerConfig(other, padToken, true);
    }

    /** Reads {@code file}; if it is missing, all settings have their defaults. */
    static TokenizerConfig read(Path file) {
        if (!Files.exists(file)) {
            return new TokenizerConfig(true, null, false);
        }
        ForeignContent.describe(file).ifPresent(what -> {
            throw new CheckpointException("%s %s".formatted(file, what));
        });
        JsonNode root;
        try {
            root = JsonMapper.builder().build().readTree(file);
        } catch (JacksonException e) {
            throw new CheckpointException(
                    "%s is not readable JSON (%s); correct or copy it again".formatted(file, e.getOriginalMessage()),
                    e);
        }
        JsonNode legacy = root.path("legacy");
        if (!legacy.isMissingNode() && !legacy.isNull() && !legacy.isBoolean()) {
            throw new CheckpointException("%s: key legacy is %s; it must be true or false".formatted(file, legacy));
        }
        // Older files write a token as an object with its content.
        JsonNode pad = root.path("pad_token");
        JsonNode content = pad.isObject() ? pad.path("content") : pad;
        return new TokenizerConfig(
                !legacy.isBoolean() || legacy.booleanValue(),
                content.isString() ? content.stringValue() : null,
                legacy.isBoolean());
    }
}
