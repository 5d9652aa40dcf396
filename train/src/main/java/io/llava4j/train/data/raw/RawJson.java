package io.llava4j.train.data.raw;

import io.llava4j.DataException;
import io.llava4j.train.data.SkippedRecord;
import java.io.InputStream;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectReader;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads the records of a JSON file of any size one by one and keeps only the fields a reader asks for. Takes all shapes
 * of such files: an array of records, an object with the array in a field, an object of records by key, or records one
 * after another (JSON lines).
 */
final class RawJson {
    /** Leaves the stream open, since {@link RawFile} hashes the remaining bytes. */
    private static final JsonMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
                    .build())
            .build();

    private static final ObjectReader VALUES =
            JSON.readerFor(JsonNode.class).without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final RawFile file;
    private final Set<String> fields;
    private final Problems problems;
    private final Consumer<RawRecord> visitor;
    private int index;

    private RawJson(RawFile file, Set<String> fields, Problems problems, Consumer<RawRecord> visitor) {
        this.file = file;
        this.fields = fields;
        this.problems = problems;
        this.visitor = visitor;
    }

    /**
     * Reads an array of records.
     *
     * @param file the array itself, JSON lines, or an object with the array in {@code field}
     * @param field name of the array's field; empty if the file is the array itself
     * @param fields of a record that are kept
     * @param problems takes records that are not objects or that the visitor rejects
     * @param visitor takes the records in order
     * @throws DataException naming file and record, if the file is malformed or has no such array
     */
    static void array(RawFile file, String field, Set<String> fields, Problems problems, Consumer<RawRecord> visitor) {
        RawJson json = new RawJson(file, fields, problems, visitor);
        json.parse(parser -> json.readArrayFile(parser, field));
    }

    /** Reads an object of records by key; parameters as {@link #array}. */
    static void keyed(RawFile file, Set<String> fields, Problems problems, Consumer<RawRecord> visitor) {
        RawJson json = new RawJson(file, fields, problems, visitor);
        json.parse(json::readKeyed);
    }

    private void parse(Consumer<JsonParser> reading) {
        file.read(in -> {
            try (JsonParser parser = parser(in)) {
                reading.accept(parser);
                if (parser.nextToken() != null) {
                    throw new DataException("%s continues after its records at line %d; remove that part"
                            .formatted(
                                    file.path(), parser.currentTokenLocation().getLineNr()));
                }
                return index;
            } catch (JacksonException e) {
                throw new DataException(
                        "%s is malformed JSON%s in record %d: %s; repair or download the file again"
                                .formatted(
                                        file.path(),
                                        position(e.getLocation()),
                                        index,
                                        e.getOriginalMessage()
                                                .lines()
                                                .findFirst()
                                                .orElse("unreadable")),
                        e);
            }
        });
    }

    private static JsonParser parser(InputStream in) {
        return JSON.createParser(in);
    }

    private void readArrayFile(JsonParser parser, String field) {
        JsonToken first = parser.nextToken();
        if (first == JsonToken.START_ARRAY) {
            readArray(parser);
        } else if (first == JsonToken.START_OBJECT && field.isEmpty()) {
            do {
                accept("", parser);
            } while (parser.nextToken() == JsonToken.START_OBJECT);
        } else if (first == JsonToken.START_OBJECT) {
            readField(parser, field);
        } else {
            throw new DataException("%s holds no records; it must be %s"
                    .formatted(
                            file.path(),
                            field.isEmpty() ? "a JSON array" : "a JSON object with an array '" + field + "'"));
        }
    }

    private void readField(JsonParser parser, String field) {
        boolean found = false;
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            boolean wanted = parser.currentName().equals(field);
            JsonToken value = parser.nextToken();
            if (wanted && value == JsonToken.START_ARRAY) {
                found = true;
                readArray(parser);
            } else {
                parser.skipChildren();
            }
        }
        if (!found) {
            throw new DataException(
                    "%s has no array '%s'; check that it is the right file".formatted(file.path(), field));
        }
    }

    private void readArray(JsonParser parser) {
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            accept("", parser);
        }
    }

    private void readKeyed(JsonParser parser) {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            throw new DataException("%s is not a JSON object of records by key; check that it is the right file"
                    .formatted(file.path()));
        }
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String key = parser.currentName();
            parser.nextToken();
            accept(key, parser);
        }
    }

    /** Passes the current value of the parser on. */
    private void accept(String key, JsonParser parser) {
        RawRecord record = null;
        try {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                parser.skipChildren();
                throw new BadRecord("it is not a JSON object");
            }
            record = new RawRecord(file.path().toString(), index, key, object(parser));
            visitor.accept(record);
        } catch (BadRecord e) {
            problems.skip(
                    new SkippedRecord(file.path().toString(), index, record == null ? key : record.name(), e.reason()));
        }
        index++;
    }

    private ObjectNode object(JsonParser parser) {
        ObjectNode node = JSON.createObjectNode();
        while (parser.nextToken() == JsonToken.PROPERTY_NAME) {
            String name = parser.currentName();
            parser.nextToken();
            if (fields.contains(name)) {
                JsonNode value = VALUES.readValue(parser);
                node.set(name, value);
            } else {
                parser.skipChildren();
            }
        }
        return node;
    }

    private static String position(@Nullable TokenStreamLocation location) {
        return location == null
                ? ""
                : " at line %d, column %d,".formatted(location.getLineNr(), location.getColumnNr());
    }
}
