package io.llava4j.train.data.mixture;

import io.llava4j.text.Role;
import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaRecord;
import java.io.ByteArrayOutputStream;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

/** A record as a JSON object in UTF-8, without line breaks. */
final class RecordJson {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private RecordJson() {}

    static byte[] bytes(LlavaRecord record) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(1024);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringProperty("id", record.id());
            if (record.image() != null) {
                json.writeStringProperty("image", record.image());
            }
            json.writeArrayPropertyStart("conversations");
            for (Turn turn : record.turns()) {
                json.writeStartObject();
                json.writeStringProperty("from", turn.role() == Role.HUMAN ? "human" : "gpt");
                json.writeStringProperty("value", turn.text());
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
        }
        return out.toByteArray();
    }
}
