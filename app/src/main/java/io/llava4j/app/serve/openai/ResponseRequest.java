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
import tools.jackson.databind.node.ArrayNode;

/**
 * A request of the responses API. Nothing is stored, so a conversation is sent whole each time.
 *
 * @param model as the client calls it
 * @param instructions the system prompt, for the response; null if there is none
 * @param format as the client wrote it; null for text
 * @param metadata as the client wrote it
 */
record ResponseRequest(
        String model,
        boolean stream,
        @Nullable String instructions,
        @Nullable JsonNode format,
        @Nullable JsonNode metadata,
        AnswerRequest answer) {
    private static final List<String> TEXT_TYPES = List.of("input_text", "output_text");
    private static final String LOGPROBS = "message.output_text.logprobs";

    static ResponseRequest read(JsonFields fields, ServedModel served) {
        String model = served.requested(fields);
        boolean stream = fields.flag("stream", false);
        JsonFields streamOptions = fields.object("stream_options");
        if (streamOptions != null) {
            streamOptions.harmless("include_obfuscation").finish();
        }
        Common.noTools(Common.bookkeeping(fields))
                .unsupported(
                        "background", "conversation", "previous_response_id", "prompt", "reasoning", "max_tool_calls")
                .only("truncation", JsonFields.oneOf("disabled"));
        String instructions = fields.text("instructions");
        ConversationBuilder<ImageSource> conversation = new ConversationBuilder<>();
        if (instructions != null) {
            conversation.system("instructions", instructions);
        }
        input(fields, conversation);
        JsonFields text = fields.object("text");
        JsonNode format = text == null ? null : text.get("format");
        AnswerFormat answerFormat = text == null ? AnswerFormat.TEXT : Common.format(text.object("format"), false);
        if (text != null) {
            text.only("verbosity", JsonFields.oneOf("medium")).finish();
        }
        AnswerRequest answer = new AnswerRequest(
                AnswerRequest.Conversation.of(conversation, "input"),
                Decoding.read(fields, Decoding.maxTokens(fields, "max_output_tokens"), Decoding.stops(fields, "stop")),
                answerFormat,
                logprobs(fields));
        JsonNode metadata = fields.get("metadata");
        fields.finish();
        return new ResponseRequest(model, stream, instructions, format, metadata, answer);
    }

    private static int logprobs(JsonFields fields) {
        int top = (int) fields.whole("top_logprobs", 0, AnswerOptions.MAX_TOP_LOGPROBS, -1);
        List<String> include = fields.texts("include", 16);
        if (include.stream().anyMatch(each -> !each.equals(LOGPROBS))) {
            throw fields.invalid("include", "may hold %s only".formatted(LOGPROBS));
        }
        return include.isEmpty() ? top : Math.max(0, top);
    }

    private static void input(JsonFields fields, ConversationBuilder<ImageSource> conversation) {
        JsonNode input = fields.get("input");
        if (input != null && input.isString()) {
            conversation.user(List.of(new Part.Text<>("input", input.stringValue())));
            return;
        }
        if (input != null && !(input instanceof ArrayNode)) {
            throw fields.invalid("input", "must be a string or an array of messages");
        }
        for (JsonFields item : fields.requiredObjects("input")) {
            item.only("type", JsonFields.oneOf("message"));
            item.harmless("id", "status", "phase");
            String role = item.requiredText("role");
            String where = item.at("content");
            switch (role) {
                case "system", "developer" -> {
                    for (Part<ImageSource> part : Common.parts(item, TEXT_TYPES, "no image")) {
                        if (part instanceof Part.Text<ImageSource> text) {
                            conversation.system(text.where(), text.text());
                        }
                    }
                }
                case "user" -> conversation.user(Common.parts(item, TEXT_TYPES, "input_image"));
                case "assistant" -> conversation.assistant(where, Common.parts(item, TEXT_TYPES, "input_image"));
                default -> throw Common.unknownRole(item, "system, developer, user or assistant");
            }
            item.finish();
        }
    }
}
