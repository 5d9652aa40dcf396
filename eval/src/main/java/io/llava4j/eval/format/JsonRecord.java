package io.llava4j.eval.format;

import io.llava4j.DataException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One JSON object of a data file together with its file and line, so that a missing or mistyped field is reported
 * with file and line.
 *
 * @param node the object
 * @param where file and line or record, for messages
 */
public record JsonRecord(JsonNode node, String where) {

    /** @throws DataException if the record is not a JSON object */
    public JsonRecord {
        if (!node.isObject()) {
            throw new DataException("%s: expected a JSON object, found %s"
                    .formatted(where, node.getNodeType().toString().toLowerCase(java.util.Locale.ROOT)));
        }
    }

    /** @throws DataException if the field is missing or not a string */
    public String text(String field) {
        JsonNode value = required(field);
        if (!value.isString()) {
            throw wrongType(field, "a string", value);
        }
        return value.stringValue();
    }

    /** The string, or null where the field is missing, null or NaN. */
    public @Nullable String optionalText(String field) {
        JsonNode value = node.get(field);
        if (value == null || value.isNull() || (value.isNumber() && Double.isNaN(value.doubleValue()))) {
            return null;
        }
        return text(field);
    }

    /** The string or number as text, or {@code fallback} where the field is missing or null. */
    public String scalar(String field, String fallback) {
        JsonNode value = node.get(field);
        return value == null || value.isNull() ? fallback : value.isString() ? value.stringValue() : value.toString();
    }

    /** @throws DataException if the field is missing or not an integer of 64 bits */
    public long integer(String field) {
        JsonNode value = required(field);
        if (!value.isIntegralNumber() || !value.canConvertToLong()) {
            throw wrongType(field, "an integer", value);
        }
        return value.longValue();
    }

    /** Strings of an array; a field that is missing is an empty array. */
    public List<String> texts(String field) {
        JsonNode value = node.get(field);
        if (value == null || value.isNull()) {
            return List.of();
        }
        if (!value.isArray() || !value.valueStream().allMatch(JsonNode::isString)) {
            throw wrongType(field, "an array of strings", value);
        }
        return value.valueStream().map(JsonNode::stringValue).toList();
    }

    /** @throws DataException if the field is missing or not an object */
    public JsonRecord object(String field) {
        return new JsonRecord(required(field), where + ", " + field);
    }

    /** @throws DataException if the field is missing or neither number nor string */
    public QuestionId id(String field) {
        return QuestionId.of(required(field), where + ", field '" + field + "'");
    }

    /** @throws DataException if the field is missing or not an array of objects */
    public List<JsonRecord> objects(String field) {
        JsonNode value = required(field);
        if (!value.isArray()) {
            throw wrongType(field, "an array", value);
        }
        List<JsonRecord> records = new ArrayList<>(value.size());
        for (JsonNode element : value) {
            records.add(new JsonRecord(element, where + ", " + field + "[" + records.size() + "]"));
        }
        return records;
    }

    private JsonNode required(String field) {
        JsonNode value = node.get(field);
        if (value == null) {
            throw new DataException(
                    "%s: field '%s' is missing; the record has %s".formatted(where, field, node.propertyNames()));
        }
        return value;
    }

    private DataException wrongType(String field, String expected, JsonNode value) {
        String shown = value.toString();
        return new DataException("%s: field '%s' must be %s, found %s"
                .formatted(where, field, expected, shown.length() > 60 ? shown.substring(0, 60) + "…" : shown));
    }
}
