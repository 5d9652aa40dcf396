package io.llava4j.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.InvalidRequestException;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.json.JsonAnyOfSchema;
import dev.langchain4j.model.chat.request.json.JsonArraySchema;
import dev.langchain4j.model.chat.request.json.JsonBooleanSchema;
import dev.langchain4j.model.chat.request.json.JsonIntegerSchema;
import dev.langchain4j.model.chat.request.json.JsonNullSchema;
import dev.langchain4j.model.chat.request.json.JsonNumberSchema;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.request.json.JsonRawSchema;
import dev.langchain4j.model.chat.request.json.JsonReferenceSchema;
import dev.langchain4j.model.chat.request.json.JsonSchema;
import dev.langchain4j.model.chat.request.json.JsonSchemaElement;
import dev.langchain4j.model.chat.request.json.JsonStringSchema;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ResponseFormatsTest {
    private static final JsonMapper JSON = JsonMapper.shared();

    private final LlavaChatModel model = LlavaChatModel.of(MemorisedModel.pipeline());

    private static ResponseFormat format(JsonSchemaElement root) {
        return ResponseFormat.builder()
                .type(ResponseFormatType.JSON)
                .jsonSchema(
                        JsonSchema.builder().name("Answer").rootElement(root).build())
                .build();
    }

    @Test
    void everyElementHasItsSchema() {
        JsonSchemaElement element = JsonObjectSchema.builder()
                .addEnumProperty("kind", List.of("animal", "tool"))
                .addProperty(
                        "parts",
                        JsonArraySchema.builder()
                                .items(JsonReferenceSchema.builder()
                                        .reference("part")
                                        .build())
                                .build())
                .addProperty(
                        "size",
                        JsonAnyOfSchema.builder()
                                .anyOf(new JsonIntegerSchema(), new JsonNumberSchema(), new JsonNullSchema())
                                .build())
                .addProperty(
                        "free",
                        JsonObjectSchema.builder().additionalProperties(true).build())
                .addProperty("raw", JsonRawSchema.from("{\"const\": 1}"))
                .required("kind")
                .definitions(Map.of(
                        "part",
                        JsonObjectSchema.builder()
                                .addProperty("name", new JsonStringSchema())
                                .addProperty("broken", new JsonBooleanSchema())
                                .build()))
                .build();

        assertThat(ResponseFormats.schema(element)).isEqualTo(JSON.readTree("""
                {"type": "object", "properties": {
                   "kind": {"type": "string", "enum": ["animal", "tool"]},
                   "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
                   "size": {"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]},
                   "free": {"type": "object", "properties": {}, "required": [], "additionalProperties": true},
                   "raw": {"const": 1}},
                 "required": ["kind"], "additionalProperties": false,
                 "$defs": {"part": {"type": "object",
                   "properties": {"name": {"type": "string"}, "broken": {"type": "boolean"}},
                   "required": [], "additionalProperties": false}}}"""));
    }

    /** Whatever is drawn fits. */
    @Test
    void answersFitTheSchema() {
        ResponseFormat format = format(JsonObjectSchema.builder()
                .addEnumProperty("kind", List.of("animal", "tool"))
                .addBooleanProperty("big")
                .required("kind", "big")
                .build());
        for (long seed = 0; seed < 5; seed++) {
            JsonNode answer = JSON.readTree(model.chat(ChatRequest.builder()
                            .messages(UserMessage.from("What do you see?"))
                            .parameters(LlavaChatRequestParameters.builder()
                                    .responseFormat(format)
                                    .temperature(10.0)
                                    .seed(seed)
                                    .build())
                            .build())
                    .aiMessage()
                    .text());
            assertThat(answer.propertyNames()).containsExactlyInAnyOrder("kind", "big");
            assertThat(answer.get("kind").stringValue()).isIn("animal", "tool");
            assertThat(answer.get("big").isBoolean()).isTrue();
        }
    }

    @Test
    void whatCannotBeHonouredIsRefusedByName() {
        assertThatThrownBy(() -> ResponseFormats.constraint(
                        format(JsonRawSchema.from("{\"type\": \"string\", \"pattern\": \"a+\"}"))))
                .isInstanceOf(UnsupportedFeatureException.class)
                .hasMessageContaining("pattern");
        ChatRequest broken = ChatRequest.builder()
                .messages(UserMessage.from("What do you see?"))
                .responseFormat(format(JsonRawSchema.from("{")))
                .build();
        assertThatThrownBy(() -> model.chat(broken))
                .isInstanceOf(InvalidRequestException.class)
                .hasMessageStartingWith("the JSON schema is not valid JSON");
    }
}
