package io.llava4j.text;

import io.llava4j.CheckpointException;
import io.llava4j.io.FileErrors;
import io.llava4j.io.ForeignContent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.BooleanNode;

/**
 * What a {@code tokenizer_config.json} adds to the vocabulary.
 *
 * @param legacy whether every segment after a special token begins with a dummy space; true if the file does not say
 * @param padToken text of the padding token, if named
 * @param saysLegacy whether the file says so
 */
record TokenizerConfig(boolean legacy, @Nullable String padToken, boolean saysLegacy) {
    static final String FILE = "tokenizer_config.json";

    /** Settings that change the ids of a text, with the only value that LLaMA's tokenizer of LLaVA has. */
    private static final Map<String, Boolean> FIXED = Map.of(
            "add_bos_token", true,
            "add_eos_token", false,
            "add_prefix_space", true,
            "do_lower_case", false,
            "split_special_tokens", false);

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
        requireFixed(file, root);
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

    private static void requireFixed(Path file, JsonNode root) {
        FIXED.forEach((key, only) -> {
            JsonNode value = root.path(key);
            if (!value.isMissingNode() && !value.isNull() && !value.equals(BooleanNode.valueOf(only))) {
                throw new CheckpointException("%s: %s is %s; llava4j needs %s".formatted(file, key, value, only));
            }
        });
        if (!root.path("sp_model_kwargs").isEmpty()) {
            throw new CheckpointException("%s: sp_model_kwargs is %s; llava4j needs {}"
                    .formatted(
                            file, FileErrors.shown(root.path("sp_model_kwargs").toString())));
        }
    }
}
