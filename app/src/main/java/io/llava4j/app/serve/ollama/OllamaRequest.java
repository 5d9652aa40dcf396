package io.llava4j.app.serve.ollama;

import io.llava4j.app.serve.http.Json;
import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.app.serve.request.AnswerFormat;
import io.llava4j.app.serve.request.AnswerRequest;
import io.llava4j.app.serve.request.Decoding;
import io.llava4j.app.serve.request.ImageSource;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.generate.ConversationBuilder;
import io.llava4j.generate.ConversationBuilder.Part;
import io.llava4j.generate.GenerationOptions;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/**
 * A request to chat or to continue a text.
 *
 * @param model as the client calls it
 * @param answer null for a request without a question, which only loads the model
 */
record OllamaRequest(String model, boolean stream, @Nullable AnswerRequest answer) {
    static OllamaRequest chat(JsonFields fields, ServedModel served) {
        String model = served.requested(fields);
        ConversationBuilder<ImageSource> conversation = new ConversationBuilder<>();
        List<JsonFields> messages = fields.requiredObjects("messages");
        for (JsonFields message : messages) {
            String role = message.requiredText("role");
            message.unsupported("tool_calls").only("thinking", OllamaRequest::isEmptyText);
            String content = message.requiredText("content");
            List<Part<ImageSource>> parts = parts(message, "content", content);
            switch (role) {
                case "system" -> conversation.system(message.at("content"), content);
                case "user" -> conversation.user(parts);
                case "assistant" -> conversation.assistant(message.at("content"), parts);
                default -> throw message.invalid("role", "must be system, user or assistant");
            }
            message.finish();
        }
        fields.unsupported("tools");
        return finish(
                fields,
                served,
                model,
                messages.isEmpty() ? null : AnswerRequest.Conversation.of(conversation, "messages"));
    }

    static OllamaRequest generate(JsonFields fields, ServedModel served) {
        String model = served.requested(fields);
        String prompt = fields.text("prompt");
        String system = fields.text("system");
        fields.unsupported("context")
                .only("suffix", OllamaRequest::isEmptyText)
                .only("template", OllamaRequest::isEmptyText);
        boolean raw = fields.flag("raw", false);
        List<Part<ImageSource>> parts = parts(fields, "prompt", prompt == null ? "" : prompt);
        if (parts.size() == 1 && (prompt == null || prompt.isEmpty())) {
            return finish(fields, served, model, null);
        }
        ConversationBuilder<ImageSource> conversation = new ConversationBuilder<>();
        if (system != null && !system.isEmpty()) {
            conversation.system("system", system);
        }
        conversation.user(parts);
        AnswerRequest.Conversation asked = AnswerRequest.Conversation.of(conversation, "prompt");
        if (!raw) {
            return finish(fields, served, model, asked);
        }
        if (!asked.system().isEmpty()) {
            throw fields.invalid("system", "has no place in a raw prompt; write it into the prompt");
        }
        return finish(
                fields,
                served,
                model,
                new AnswerRequest.Completion(asked.turns().getFirst().text(), asked.images()));
    }

    private static OllamaRequest finish(
            JsonFields fields, ServedModel served, String model, AnswerRequest.@Nullable Prompt prompt) {
        int context = served.pipeline().model().config().text().maxPositionEmbeddings();
        boolean stream = fields.flag("stream", true);
        fields.harmless("keep_alive").unsupported("think", "logprobs");
        AnswerFormat format = format(fields);
        JsonFields given = fields.object("options");
        GenerationOptions options = options(given == null ? new JsonFields("options", Json.object()) : given, context);
        fields.finish();
        return new OllamaRequest(model, stream, prompt == null ? null : new AnswerRequest(prompt, options, format));
    }

    private static AnswerFormat format(JsonFields fields) {
        JsonNode format = fields.get("format");
        if (format == null || isEmptyText(format)) {
            return AnswerFormat.TEXT;
        }
        if (format.isObject()) {
            return AnswerFormat.schema(format);
        }
        if (JsonFields.oneOf("json").test(format)) {
            return AnswerFormat.JSON_OBJECT;
        }
        throw fields.invalid("format", "must be json or a JSON schema");
    }

    private static GenerationOptions options(JsonFields options, int context) {
        options.harmless("num_thread", "num_gpu", "main_gpu", "num_batch", "use_mmap", "use_mlock", "numa", "low_vram")
                .harmless(
                        "mirostat_tau",
                        "mirostat_eta",
                        "num_keep") // without mirostat and a moving context they are unused
                .unsupported("presence_penalty", "frequency_penalty", "mirostat", "min_p")
                .only(
                        "repeat_last_n",
                        value -> value.isNumber() && value.doubleValue() == -1) // the whole answer counts
                .only("penalize_newline", value -> value.isBoolean() && value.booleanValue())
                .only("typical_p", value -> value.isNumber() && value.doubleValue() == 1)
                .only("tfs_z", value -> value.isNumber() && value.doubleValue() == 1);
        options.whole("num_ctx", 1, context, context);
        long limit = options.whole("num_predict", -2, Integer.MAX_VALUE, Decoding.MAX_TOKENS);
        GenerationOptions decoding = Decoding.read(
                options,
                limit < 1 ? Integer.MAX_VALUE : limit, // -1 and -2: until the context is full
                Decoding.stops(options, "stop"),
                "repeat_penalty");
        options.finish();
        return decoding;
    }

    private static boolean isEmptyText(JsonNode value) {
        return value.isString() && value.stringValue().isEmpty();
    }

    /** The images of a message, then its text. */
    private static List<Part<ImageSource>> parts(JsonFields holder, String textName, String text) {
        List<Part<ImageSource>> parts = new ArrayList<>();
        ArrayNode images = holder.array("images");
        for (int i = 0; images != null && i < images.size(); i++) {
            String where = holder.at("images") + "[" + i + "]";
            if (!images.get(i).isString()) {
                throw holder.invalid("images", "must hold files in base64");
            }
            parts.add(
                    new Part.Image<>(new ImageSource.Inline(where, images.get(i).stringValue())));
        }
        parts.add(new Part.Text<>(holder.at(textName), text));
        return parts;
    }
}
