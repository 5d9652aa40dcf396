package io.llava4j.checkpoint.huggingface;

import io.llava4j.io.FileErrors;
import io.llava4j.io.StrictJson;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/**
 * Settings of generation_config.json that change even the most likely answer in transformers. LLaVA sets how an answer is
 * decoded by options, and so does llava4j; a model that asks for more is answered without it, and this says so.
 */
public final class GenerationSettings {
    /** Numbers that change nothing, by key. */
    private static final Map<String, Integer> NEUTRAL = Map.of(
            "repetition_penalty", 1,
            "encoder_repetition_penalty", 1,
            "no_repeat_ngram_size", 0,
            "min_length", 0,
            "min_new_tokens", 0,
            "num_beams", 1,
            "num_beam_groups", 1,
            "guidance_scale", 1);

    /** Tokens or texts; none change nothing. */
    private static final List<String> LISTS = List.of(
            "suppress_tokens",
            "begin_suppress_tokens",
            "bad_words_ids",
            "force_words_ids",
            "forced_bos_token_id",
            "forced_eos_token_id",
            "forced_decoder_ids",
            "sequence_bias",
            "exponential_decay_length_penalty",
            "constraints",
            "stop_strings");

    private GenerationSettings() {}

    /**
     * What a model folder asks for and does not get, as {@code key = value}.
     *
     * @param directory of the model; a folder without the file asks for nothing
     */
    public static List<String> notApplied(Path directory) {
        Path file = directory.resolve(ModelConfigs.GENERATION_FILE);
        if (!Files.exists(file)) {
            return List.of();
        }
        List<String> found = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : StrictJson.object(file).properties()) {
            String key = entry.getKey();
            JsonNode value = entry.getValue();
            Integer neutral = NEUTRAL.get(key);
            boolean changes = neutral != null
                    ? value.asDouble(neutral) != neutral
                    : LISTS.contains(key) && !value.isNull() && (value.isValueNode() || !value.isEmpty());
            if (changes) {
                found.add("%s = %s".formatted(key, FileErrors.shown(value.toString())));
            }
        }
        return List.copyOf(found);
    }
}
