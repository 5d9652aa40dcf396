package io.llava4j.train.data.raw;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import tools.jackson.databind.JsonNode;

/**
 * A record of a raw file. Getters throw {@link BadRecord} with one sentence if a field is missing or of another type.
 * Numbers may be written as strings and ids as numbers, as many exports do.
 *
 * @param file that holds it
 * @param index of the record in the file, from 0
 * @param key of the record if the file is an object of records; otherwise empty
 * @param node its requested fields
 */
record RawRecord(String file, int index, String key, JsonNode node) {
    private static final List<String> IDS = List.of("id", "question_id", "image_id", "ref_id");

    /** The name of the record in messages: its key, or the first id it has. */
    String name() {
        return key.isEmpty()
                ? IDS.stream()
                        .map(node::path)
                        .filter(id -> id.isString() || id.isIntegralNumber())
                        .map(JsonNode::asString)
                        .findFirst()
                        .orElse("")
                : key;
    }

    boolean has(String field) {
        return !node.path(field).isMissingNode() && !node.path(field).isNull();
    }

    /** A text that is not blank. */
    String text(String field) {
        JsonNode value = node.path(field);
        if (!value.isString()) {
            throw wrong(field, "is missing or not a text");
        }
        if (value.stringValue().isBlank()) {
            throw wrong(field, "is empty");
        }
        return value.stringValue();
    }

    /** A text or a whole number, as text. */
    String id(String field) {
        JsonNode value = node.path(field);
        if (!value.isString() && !value.isIntegralNumber() || value.asString().isBlank()) {
            throw wrong(field, "is missing or neither a text nor a whole number");
        }
        return value.asString();
    }

    /** A finite number. */
    double number(String field) {
        return number(node.path(field)).orElseThrow(() -> wrong(field, "is missing or not a number"));
    }

    /** A number of pixels, from 1 to a million. */
    int size(String field) {
        double value = number(field);
        if (value != Math.rint(value) || value < 1 || value > 1_000_000) {
            throw wrong(field, "is not a number of pixels");
        }
        return (int) value;
    }

    /** A list of texts; numbers are converted to text. */
    List<String> texts(String field) {
        List<String> texts = new ArrayList<>();
        for (JsonNode item : list(field)) {
            if (!item.isString() && !item.isNumber()) {
                throw wrong(field, "holds something that is not a text");
            }
            texts.add(item.asString());
        }
        return texts;
    }

    /** A list of records. */
    List<RawRecord> records(String field) {
        List<RawRecord> records = new ArrayList<>();
        for (JsonNode item : list(field)) {
            if (!item.isObject()) {
                throw wrong(field, "holds something that is not an object");
            }
            records.add(new RawRecord(file, index, key, item));
        }
        return records;
    }

    private JsonNode list(String field) {
        JsonNode value = node.path(field);
        if (!value.isArray()) {
            throw wrong(field, "is missing or not a list");
        }
        return value;
    }

    private static OptionalDouble number(JsonNode value) {
        double number;
        if (value.isNumber()) {
            number = value.asDouble();
        } else if (value.isString()) {
            try {
                number = Double.parseDouble(value.stringValue());
            } catch (NumberFormatException e) {
                return OptionalDouble.empty();
            }
        } else {
            return OptionalDouble.empty();
        }
        return Double.isFinite(number) ? OptionalDouble.of(number) : OptionalDouble.empty();
    }

    static BadRecord wrong(String field, String problem) {
        return new BadRecord("its %s %s".formatted(field, problem));
    }
}
