package io.llava4j.text;

import io.llava4j.CheckpointException;
import io.llava4j.io.FileErrors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/**
 * What a tokenizer.json does to a text beside its vocabulary and merges: only what LLaMA's does is computed
 * (docs/reference/conversation.md#legacy-tokenizers), every other step is refused by name.
 */
final class TokenizerJsonSteps {
    private static final String SPACE = "▁";

    private TokenizerJsonSteps() {}

    /** @throws CheckpointException naming the file and the step that LLaMA's tokenizer does not have */
    static void requireThoseOfLlama(Path file, JsonNode root) {
        List<JsonNode> normalizers = steps(root.path("normalizer"), "normalizers");
        for (JsonNode step : normalizers) {
            boolean known = switch (type(step)) {
                case "Prepend" -> step.path("prepend").asString("").equals(SPACE);
                case "Replace" ->
                    step.path("pattern").path("String").asString("").equals(" ")
                            && step.path("content").asString("").equals(SPACE);
                default -> false;
            };
            require(file, known, "normalizer", step);
        }
        List<JsonNode> splitters = steps(root.path("pre_tokenizer"), "pretokenizers");
        for (JsonNode step : splitters) {
            boolean known = type(step).equals("Metaspace")
                    && step.path("replacement").asString(SPACE).equals(SPACE)
                    && !step.path("split").asBoolean(false)
                    && step.path("add_prefix_space").asBoolean(true)
                    && Set.of("first", "always")
                            .contains(step.path("prepend_scheme").asString("always"));
            require(file, known, "pre_tokenizer", step);
        }
        boolean prepends = !splitters.isEmpty()
                || normalizers.stream().anyMatch(step -> type(step).equals("Prepend"));
        if (!prepends) {
            throw unusable(file, "it puts no space before a text");
        }
        JsonNode single = root.path("post_processor").path("single");
        if (!single.isEmpty() && single.get(single.size() - 1).has("SpecialToken")) {
            throw unusable(file, "its post_processor puts a special token after a text");
        }
        JsonNode bpe = root.path("model");
        for (String key : List.of("dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges")) {
            JsonNode value = bpe.path(key);
            boolean unset = value.asString("").isEmpty() || value.asString("").equals("false");
            if (!unset && value.asDouble(1) != 0) {
                throw unusable(file, "its %s is %s".formatted(key, FileErrors.shown(value.toString())));
            }
        }
    }

    private static List<JsonNode> steps(JsonNode step, String children) {
        if (step.isMissingNode() || step.isNull()) {
            return List.of();
        }
        if (!type(step).equals("Sequence")) {
            return List.of(step);
        }
        List<JsonNode> steps = new ArrayList<>();
        step.path(children).forEach(child -> steps.addAll(steps(child, children)));
        return steps;
    }

    private static String type(JsonNode step) {
        return step.path("type").asString("");
    }

    private static void require(Path file, boolean known, String kind, JsonNode step) {
        if (!known) {
            throw unusable(file, "its %s is %s".formatted(kind, FileErrors.shown(step.toString())));
        }
    }

    private static CheckpointException unusable(Path file, String why) {
        return new CheckpointException("the tokenizer %s cannot be used: %s, unlike LLaMA's; ".formatted(file, why)
                + "take the tokenizer that belongs to a LLaMA model");
    }
}
