package io.llava4j.generate.constrain;

import java.util.Locale;
import tools.jackson.databind.JsonNode;

/** Types of JSON schema. */
enum JsonType {
    OBJECT,
    ARRAY,
    STRING,
    NUMBER,
    INTEGER,
    BOOLEAN,
    NULL;

    /** Its name in a schema. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether a value is of the type. */
    boolean includes(JsonNode value) {
        return switch (this) {
            case OBJECT -> value.isObject();
            case ARRAY -> value.isArray();
            case STRING -> value.isString();
            case NUMBER -> value.isNumber();
            case INTEGER ->
                value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
            case BOOLEAN -> value.isBoolean();
            case NULL -> value.isNull();
        };
    }
}
