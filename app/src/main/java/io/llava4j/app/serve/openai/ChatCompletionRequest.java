package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.app.serve.request.AnswerFormat;
import io.llava4j.app.serve.request.AnswerRequest;
import io.llava4j.app.serve.request.Decoding;
import io.llava4j.app.serve.request.ImageSource;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.generate.AnswerOptions;
import io.llava4j.generate.ConversationBuilder;
import io.llava4j.generate.ConversationBuilder.Part;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * A request for a chat completion.
 *
 * @param model as the client calls it
 * @param stream how to stream; null to answer at once
 */
record ChatCompletionRequest(String model, @Nullable StreamOptions stream, AnswerRequest answer) {
    private static final List<String> TEXT_TYPES = List.of("text", "refusal");

    static ChatCompletionRequest read(JsonFields fields, ServedModel served) {
        String model = served.requested(fields);
        StreamOptions stream = StreamOptions.read(fields);
        Common.noTools(Common.bookkeeping(fields))
                .unsupported(
                        "presence_penalty",
                        "frequency_penalty",
                        "logit_bias",
                        "functions",
                        "audio",
                        "prediction",
                        "web_search_options",
                        "reasoning_effort",
                        "verbosity",
                        "moderation")
                .only("n", value -> value.isIntegralNumber() && value.longValue() == 1)
                .only("function_call", JsonFields.oneOf("none"))
                .only("modalities", ChatCompletionRequest::isTextOnly);
        ConversationBuilder<ImageSource> conversation = new ConversationBuilder<>();
        for (JsonFields message : fields.requiredObjects("messages")) {
            add(conversation, message);
        }
        AnswerFormat format = Common.format(fields.object("response_format"), true);
        String limit = fields.has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        if (fields.has("max_tokens") && !limit.equals("max_tokens")) {
            throw fields.invalid("max_tokens", "is the old name of max_completion_tokens; send one of them");
        }
        AnswerRequest answer = new AnswerRequest(
                AnswerRequest.Conversation.of(conversation, "messages"),
                Decoding.read(fields, Decoding.maxTokens(fields, limit), Decoding.stops(fields, "stop")),
                format,
                logprobs(fields));
        fields.finish();
        return new ChatCompletionRequest(model, stream, answer);
    }

    private static int logprobs(JsonFields fields) {
        boolean wanted = fields.flag("logprobs", false);
        int top = (int) fields.whole("top_logprobs", 0, AnswerOptions.MAX_TOP_LOGPROBS, -1);
        if (top >= 0 && !wanted) {
            throw fields.invalid("top_logprobs", "needs logprobs to be true");
        }
        return wanted ? Math.max(0, top) : -1;
    }

    private static boolean isTextOnly(JsonNode value) {
        return value.isArray() && value.size() == 1 && JsonFields.oneOf("text").test(value.get(0));
    }

    private static void add(ConversationBuilder<ImageSource> conversation, JsonFields message) {
        String role = message.requiredText("role");
        message.harmless("name");
        String where = message.at("content");
        switch (role) {
            case "system", "developer" -> {
                for (Part<ImageSource> part : Common.parts(message, TEXT_TYPES, "no image")) {
                    if (part instanceof Part.Text<ImageSource> text) {
                        conversation.system(text.where(), text.text());
                    }
                }
            }
            case "user" -> conversation.user(Common.parts(message, TEXT_TYPES, "image_url"));
            case "assistant" -> {
                message.unsupported("tool_calls", "function_call", "audio").harmless("refusal", "annotations");
                conversation.assistant(where, Common.parts(message, TEXT_TYPES, "image_url"));
            }
            default -> throw Common.unknownRole(message, "system, developer, user or assistant");
        }
        message.finish();
    }
}
