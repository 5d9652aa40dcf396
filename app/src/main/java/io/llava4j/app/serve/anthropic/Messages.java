package io.llava4j.app.serve.anthropic;

import io.llava4j.app.serve.http.Exchange;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.generate.schedule.Usage;
import tools.jackson.databind.node.ObjectNode;

/** Parts of this API's documents. */
final class Messages {
    private Messages() {}

    /** A message without content, usage and reason. */
    static ObjectNode message(Exchange exchange, MessageRequest request) {
        ObjectNode message = Json.object()
                .put("id", exchange.id().replace("req_", "msg_"))
                .put("type", "message")
                .put("role", "assistant")
                .put("model", request.model());
        message.putArray("content");
        return message.putNull("stop_reason").putNull("stop_sequence");
    }

    /** Adds why the answer ended. */
    static void putReason(ObjectNode node, Answer answer) {
        String reason =
                answer.stopText() != null ? "stop_sequence" : answer.finish().isTruncated() ? "max_tokens" : "end_turn";
        node.put("stop_reason", reason).put("stop_sequence", answer.stopText());
    }

    /** Tokens; those that were taken from the cache are counted apart, as this API does. */
    static ObjectNode usage(Usage usage) {
        return Json.object()
                .put("input_tokens", usage.promptTokens() - usage.cachedTokens())
                .put("cache_creation_input_tokens", 0)
                .put("cache_read_input_tokens", usage.cachedTokens())
                .put("output_tokens", usage.answerTokens());
    }
}
