package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.Json;
import io.llava4j.generate.schedule.Usage;
import tools.jackson.databind.node.ObjectNode;

/** Counts of tokens as this API writes them. Image tokens are prompt tokens; {@code image_tokens} tells how many they are. */
final class Usages {
    private Usages() {}

    /** Of completions. */
    static ObjectNode completion(Usage usage) {
        ObjectNode node = Json.object()
                .put("prompt_tokens", usage.promptTokens())
                .put("completion_tokens", usage.answerTokens())
                .put("total_tokens", usage.promptTokens() + usage.answerTokens());
        node.putObject("prompt_tokens_details")
                .put("cached_tokens", usage.cachedTokens())
                .put("image_tokens", usage.imageTokens());
        node.putObject("completion_tokens_details").put("reasoning_tokens", 0);
        return node;
    }

    /** Of responses. */
    static ObjectNode response(Usage usage) {
        ObjectNode node = Json.object()
                .put("input_tokens", usage.promptTokens())
                .put("output_tokens", usage.answerTokens())
                .put("total_tokens", usage.promptTokens() + usage.answerTokens());
        node.putObject("input_tokens_details")
                .put("cached_tokens", usage.cachedTokens())
                .put("cache_write_tokens", 0)
                .put("image_tokens", usage.imageTokens());
        node.putObject("output_tokens_details").put("reasoning_tokens", 0);
        return node;
    }
}
