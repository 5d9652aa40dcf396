package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.AnswerTarget;
import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.request.Answer;
import io.llava4j.generate.GenerationOptions;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The documents of one response. */
final class ResponseObject {
    private final AnswerTarget target;
    private final ResponseRequest request;
    private final String id;
    private final String messageId;
    private final long created;

    ResponseObject(AnswerTarget target, ResponseRequest request) {
        this.target = target;
        this.request = request;
        this.created = target.now();
        this.id = target.id().replace("req_", "resp_");
        this.messageId = target.id().replace("req_", "msg_");
    }

    /** Identifies the message of the answer. */
    String messageId() {
        return messageId;
    }

    /** While the answer is written. */
    ObjectNode inProgress() {
        return response("in_progress");
    }

    /** With the whole answer. */
    ObjectNode complete(Answer answer, ArrayNode logprobs) {
        ObjectNode response = response(isIncomplete(answer) ? "incomplete" : "completed");
        if (isIncomplete(answer)) {
            response.putObject("incomplete_details").put("reason", "max_output_tokens");
        } else {
            response.put("completed_at", target.now());
        }
        response.withArray("output").add(message(answer, logprobs));
        response.set("usage", Usages.response(answer.usage()));
        return response;
    }

    /** After a failure. */
    ObjectNode failed(ApiException failure) {
        ObjectNode response = response("failed");
        response.putObject("error").put("code", "server_error").put("message", failure.sentence());
        return response;
    }

    static boolean isIncomplete(Answer answer) {
        return answer.finish().isTruncated();
    }

    /** The message of the complete answer. */
    ObjectNode message(Answer answer, ArrayNode logprobs) {
        ObjectNode message = message(isIncomplete(answer) ? "incomplete" : "completed");
        message.withArray("content").add(part(answer.text(), logprobs));
        return message;
    }

    /** A message without content. */
    ObjectNode message(String status) {
        ObjectNode message = Json.object()
                .put("id", messageId)
                .put("type", "message")
                .put("status", status)
                .put("role", "assistant");
        message.putArray("content");
        return message;
    }

    /** The only part of the message. */
    ObjectNode part(String text, ArrayNode logprobs) {
        ObjectNode part = Json.object().put("type", "output_text").put("text", text);
        part.putArray("annotations");
        part.set("logprobs", logprobs);
        return part;
    }

    private ObjectNode response(String status) {
        GenerationOptions decoding = request.answer().decoding();
        ObjectNode response = Json.object()
                .put("id", id)
                .put("object", "response")
                .put("created_at", created)
                .put("status", status)
                .put("background", false)
                .putNull("error")
                .putNull("incomplete_details")
                .put("instructions", request.instructions())
                .put("max_output_tokens", decoding.maxNewTokens())
                .put("model", request.model());
        response.putArray("output");
        response.put("parallel_tool_calls", true).putNull("previous_response_id");
        response.putObject("reasoning").putNull("effort").putNull("summary");
        response.put("store", false).put("temperature", decoding.temperature());
        if (request.format() == null) {
            response.putObject("text").putObject("format").put("type", "text");
        } else {
            response.putObject("text").set("format", request.format());
        }
        response.put("tool_choice", "auto").putArray("tools");
        response.put("top_p", decoding.topP()).put("truncation", "disabled").putNull("usage");
        response.set("metadata", request.metadata() == null ? Json.object() : request.metadata());
        return response;
    }
}
