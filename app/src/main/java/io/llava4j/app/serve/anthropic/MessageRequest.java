package io.llava4j.app.serve.anthropic;

import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.app.serve.request.AnswerFormat;
import io.llava4j.app.serve.request.AnswerRequest;
import io.llava4j.app.serve.request.Decoding;
import io.llava4j.app.serve.request.ImageSource;
import io.llava4j.app.serve.request.ServedModel;
import io.llava4j.generate.ConversationBuilder;
import io.llava4j.generate.ConversationBuilder.Part;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/**
 * A request for a message.
 *
 * @param model as the client calls it
 */
record MessageRequest(String model, boolean stream, AnswerRequest answer) {
    static MessageRequest read(JsonFields fields, ServedModel served) {
        String model = served.requested(fields);
        if (!fields.has("max_tokens")) {
            throw fields.invalid("max_tokens", "is missing");
        }
        boolean stream = fields.flag("stream", false);
        AnswerRequest answer = new AnswerRequest(
                conversation(fields),
                Decoding.read(
                        fields, Decoding.maxTokens(fields, "max_tokens"), Decoding.stops(fields, "stop_sequences")),
                AnswerFormat.TEXT);
        fields.harmless("metadata")
                .only("service_tier", JsonFields.oneOf("auto", "standard_only"))
                .finish();
        return new MessageRequest(model, stream, answer);
    }

    /** A request to count tokens only. */
    static AnswerRequest.Conversation readForCount(JsonFields fields, ServedModel served) {
        served.requested(fields);
        AnswerRequest.Conversation conversation = conversation(fields);
        fields.finish();
        return conversation;
    }

    private static AnswerRequest.Conversation conversation(JsonFields fields) {
        fields.unsupported("tools", "mcp_servers", "container", "context_management", "output_config", "output_format")
                .only("tool_choice", MessageRequest::choosesNoTool)
                .only("thinking", MessageRequest::isDisabled);
        ConversationBuilder<ImageSource> conversation = new ConversationBuilder<>();
        for (Part<ImageSource> part : parts(fields, "system", false)) {
            if (part instanceof Part.Text<ImageSource> text) {
                conversation.system(text.where(), text.text());
            }
        }
        for (JsonFields message : fields.requiredObjects("messages")) {
            String role = message.requiredText("role");
            if (!message.has("content")) {
                throw message.invalid("content", "is missing");
            }
            List<Part<ImageSource>> parts = parts(message, "content", role.equals("user"));
            switch (role) {
                case "user" -> conversation.user(parts);
                case "assistant" -> conversation.assistant(message.at("content"), parts);
                default -> throw message.invalid("role", "must be user or assistant");
            }
            message.finish();
        }
        return AnswerRequest.Conversation.of(conversation, "messages");
    }

    private static boolean choosesNoTool(JsonNode value) {
        return value.isObject() && JsonFields.oneOf("none").test(value.path("type"));
    }

    private static boolean isDisabled(JsonNode value) {
        return value.isObject() && JsonFields.oneOf("disabled").test(value.path("type"));
    }

    private static List<Part<ImageSource>> parts(JsonFields holder, String name, boolean withImages) {
        JsonNode content = holder.get(name);
        if (content == null) {
            return List.of();
        }
        if (content.isString()) {
            return List.of(new Part.Text<>(holder.at(name), content.stringValue()));
        }
        if (!(content instanceof ArrayNode)) {
            throw holder.invalid(name, "must be a string or an array of blocks");
        }
        List<Part<ImageSource>> parts = new ArrayList<>();
        for (JsonFields block : holder.requiredObjects(name)) {
            String type = block.requiredText("type");
            if (type.equals("text")) {
                block.unsupported("citations");
                parts.add(new Part.Text<>(block.at("text"), block.requiredText("text")));
            } else if (type.equals("image") && withImages) {
                parts.add(new Part.Image<>(image(block, block.object("source"))));
            } else {
                throw block.invalid("type", withImages ? "must be text or image" : "must be text");
            }
            block.harmless("cache_control").finish(); // what is cached is decided here
        }
        if (parts.isEmpty()) {
            throw holder.invalid(name, "is empty");
        }
        return parts;
    }

    private static ImageSource image(JsonFields block, @Nullable JsonFields source) {
        if (source == null) {
            throw block.invalid("source", "is missing");
        }
        ImageSource image = switch (source.requiredText("type")) {
            case "base64" -> {
                String mediaType = source.requiredText("media_type");
                if (!mediaType.startsWith("image/")) {
                    throw source.invalid("media_type", "must be that of an image, such as image/png");
                }
                yield new ImageSource.Inline(source.at("data"), source.requiredText("data"));
            }
            case "url" -> ImageSource.ofUrl(source.at("url"), source.requiredText("url"));
            default -> throw source.invalid("type", "must be base64 or url");
        };
        source.finish();
        return image;
    }
}
