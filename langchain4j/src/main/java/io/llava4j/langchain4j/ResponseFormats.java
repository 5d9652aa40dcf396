package io.llava4j.langchain4j;

import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonAnyOfSchema;
import dev.langchain4j.model.chat.request.json.JsonArraySchema;
import dev.langchain4j.model.chat.request.json.JsonBooleanSchema;
import dev.langchain4j.model.chat.request.json.JsonEnumSchema;
import dev.langchain4j.model.chat.request.json.JsonIntegerSchema;
import dev.langchain4j.model.chat.request.json.JsonNullSchema;
import dev.langchain4j.model.chat.request.json.JsonNumberSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonReferenceSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.langchain4j.model.chat.request.json.JsonStringSchema;
import io.llava4j.ConfigException;
import io.llava4j.generate.constrain.JsonConstraint;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** From LangChain4j's response formats to constraints of the answer. */
final class ResponseFormats {
    private ResponseFormats() {}

    /** @return null for free text */
    static @Nullable JsonConstraint constraint(@Nullable ResponseFormat format) {
        if (format == null || format.type() == ResponseFormatType.TEXT) {
            return null;
        }
        if (format.jsonSchema() == null) {
            return JsonConstraint.anyObject();
        }
        JsonNode schema = schema(format.jsonSchema().rootElement());
        try {
            return JsonConstraint.schema(schema);
        } catch (ConfigException e) {
            throw new UnsupportedFeatureException("this JSON schema is not supported: " + e.getMessage());
        }
    }

    /**
     * The JSON schema of an element. Objects have no properties but those of their schema, unless it asks for additional ones: a
     * description of a class is meant so.
     */
    static JsonNode schema(JsonSchemaElement element) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        switch (element) {
            case JsonRawSchema raw -> {
                return parse(raw.schema());
            }
            case JsonObjectSchema object -> {
                node.put("type", "object");
                node.set("properties", schemas(object.properties()));
                strings(node.putArray("required"), object.required());
                node.put("additionalProperties", Boolean.TRUE.equals(object.additionalProperties()));
                if (!object.definitions().isEmpty()) {
                    node.set("$defs", schemas(object.definitions()));
                }
            }
            case JsonArraySchema array -> {
                node.put("type", "array");
                if (array.items() != null) {
                    node.set("items", schema(array.items()));
                }
            }
            case JsonEnumSchema choice -> strings(node.put("type", "string").putArray("enum"), choice.enumValues());
            case JsonAnyOfSchema any -> {
                ArrayNode alternatives = node.putArray("anyOf");
                any.anyOf().forEach(alternative -> alternatives.add(schema(alternative)));
            }
            case JsonReferenceSchema reference -> node.put("$ref", "#/$defs/" + reference.reference());
            case JsonStringSchema ignored -> node.put("type", "string");
            case JsonIntegerSchema ignored -> node.put("type", "integer");
            case JsonNumberSchema ignored -> node.put("type", "number");
            case JsonBooleanSchema ignored -> node.put("type", "boolean");
            case JsonNullSchema ignored -> node.put("type", "null");
            default ->
                throw new UnsupportedFeatureException("a JSON schema with %s is not supported"
                        .formatted(element.getClass().getSimpleName()));
        }
        return node;
    }

    private static ObjectNode schemas(Map<String, JsonSchemaElement> elements) {
        ObjectNode node = JsonNodeFactory.instance.objectNode();
        elements.forEach((name, element) -> node.set(name, schema(element)));
        return node;
    }

    private static void strings(ArrayNode array, Iterable<String> values) {
        values.forEach(array::add);
    }

    private static JsonNode parse(String schema) {
        try {
            return JsonMapper.shared().readTree(schema);
        } catch (JacksonException e) {
            throw new ConfigException("the JSON schema is not valid JSON: " + e.getOriginalMessage(), e);
        }
    }
}
