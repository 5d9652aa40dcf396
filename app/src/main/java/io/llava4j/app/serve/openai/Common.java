package io.llava4j.app.serve.openai;

import io.llava4j.app.serve.http.ApiException;
import io.llava4j.app.serve.http.JsonFields;
import io.llava4j.app.serve.request.AnswerFormat;
import io.llava4j.app.serve.request.ImageSource;
import io.llava4j.generate.ConversationBuilder.Part;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;

/** What the requests of this API share. */
final class Common {
    private Common() {}

    /** Fields that say who asks and how to bill it. */
    static JsonFields bookkeeping(JsonFields fields) {
        return fields.harmless("user", "metadata", "safety_identifier", "prompt_cache_key", "prompt_cache_retention")
                .only("service_tier", JsonFields.oneOf("auto", "default"))
                .unsupported("store");
    }

    /** Tools, which this model does not call. */
    static JsonFields noTools(JsonFields fields) {
        return fields.harmless("parallel_tool_calls")
                .unsupported("tools")
                .only("tool_choice", JsonFields.oneOf("none", "auto"));
    }

    /**
     * The parts of a message's content.
     *
     * @param names of the types of parts: the texts, then the image
     */
    static List<Part<ImageSource>> parts(JsonFields message, List<String> textTypes, String imageType) {
        JsonNode content = message.get("content");
        if (content == null) {
            throw message.invalid("content", "is missing");
        }
        if (content.isString()) {
            return List.of(new Part.Text<>(message.at("content"), content.stringValue()));
        }
        if (!(content instanceof ArrayNode)) {
            throw message.invalid("content", "must be a string or an array of parts");
        }
        List<Part<ImageSource>> parts = new ArrayList<>();
        for (JsonFields part : message.requiredObjects("content")) {
            String type = part.requiredText("type");
            if (textTypes.contains(type)) {
                part.harmless("annotations", "logprobs"); // of an answer that is sent back
                parts.add(new Part.Text<>(part.at("text"), part.requiredText("text")));
            } else if (type.equals(imageType)) {
                parts.add(new Part.Image<>(image(part)));
            } else {
                throw part.invalid("type", "must be %s or %s".formatted(String.join(", ", textTypes), imageType));
            }
            part.finish();
        }
        if (parts.isEmpty()) {
            throw message.invalid("content", "is empty");
        }
        return parts;
    }

    /** Of chat completions {@code {"image_url": {"url": …}}}, of responses {@code {"image_url": …}}. */
    private static ImageSource image(JsonFields part) {
        JsonNode url = part.get("image_url");
        part.only("file_id", value -> false).only("detail", Common::isDetail);
        if (url == null) {
            throw part.invalid("image_url", "is missing");
        }
        if (url.isString()) {
            return ImageSource.ofUrl(part.at("image_url"), url.stringValue());
        }
        JsonFields object = JsonFields.objectOf(part.at("image_url"), url);
        object.only("detail", Common::isDetail);
        ImageSource image = ImageSource.ofUrl(object.at("url"), object.requiredText("url"));
        object.finish();
        return image;
    }

    /** The model has one resolution, so any of them asks for nothing else. */
    private static boolean isDetail(JsonNode value) {
        return JsonFields.oneOf("auto", "low", "high").test(value);
    }

    /**
     * The form of the answer.
     *
     * @param wrapped whether a schema lies in an object {@code json_schema} of its own
     */
    static AnswerFormat format(@Nullable JsonFields format, boolean wrapped) {
        if (format == null) {
            return AnswerFormat.TEXT;
        }
        String type = format.requiredText("type");
        AnswerFormat result = switch (type) {
            case "text" -> AnswerFormat.TEXT;
            case "json_object" -> AnswerFormat.JSON_OBJECT;
            case "json_schema" -> schema(format, wrapped);
            default -> throw format.invalid("type", "must be text, json_object or json_schema");
        };
        format.finish();
        return result;
    }

    private static AnswerFormat schema(JsonFields format, boolean wrapped) {
        JsonFields holder = wrapped ? format.object("json_schema") : format;
        if (holder == null) {
            throw format.invalid("json_schema", "is missing");
        }
        holder.harmless("name", "description");
        holder.flag("strict", true); // a schema is always kept to
        JsonNode schema = holder.get("schema");
        if (schema == null) {
            throw holder.invalid("schema", "is missing");
        }
        if (wrapped) {
            holder.finish();
        }
        return AnswerFormat.schema(schema);
    }

    /** A role that an API knows, or the refusal of one that it does not. */
    static ApiException unknownRole(JsonFields message, String known) {
        return message.invalid("role", "must be " + known);
    }
}
