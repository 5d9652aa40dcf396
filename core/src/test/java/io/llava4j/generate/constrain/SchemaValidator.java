package io.llava4j.generate.constrain;

import java.math.BigDecimal;
import java.util.HashSet;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/** Says whether a document fits a schema: the keywords of the supported subset, straight from the specification's words. */
record SchemaValidator(JsonNode root) {
    boolean fits(JsonNode document) {
        return fits(root, document);
    }

    private boolean fits(JsonNode schema, JsonNode document) {
        if (schema.isBoolean()) {
            return schema.asBoolean();
        }
        for (var keyword : schema.properties()) {
            if (!fits(keyword.getKey(), keyword.getValue(), schema, document)) {
                return false;
            }
        }
        return true;
    }

    private boolean fits(String keyword, JsonNode value, JsonNode schema, JsonNode document) {
        return switch (keyword) {
            case "$ref" -> fits(root.at(value.asString().substring(1)), document);
            case "anyOf" -> count(value, document) > 0;
            case "oneOf" -> count(value, document) == 1;
            case "allOf" -> count(value, document) == value.size();
            case "const" -> same(value, document);
            case "enum" -> value.values().stream().anyMatch(each -> same(each, document));
            case "type" ->
                value.isString()
                        ? isOf(value.asString(), document)
                        : value.values().stream().anyMatch(type -> isOf(type.asString(), document));
            case "minLength" -> !document.isString() || characters(document) >= value.asInt();
            case "maxLength" -> !document.isString() || characters(document) <= value.asInt();
            case "minimum" -> !document.isNumber() || compare(document, value) >= 0;
            case "maximum" -> !document.isNumber() || compare(document, value) <= 0;
            case "exclusiveMinimum" -> !document.isNumber() || compare(document, value) > 0;
            case "exclusiveMaximum" -> !document.isNumber() || compare(document, value) < 0;
            case "minItems" -> !document.isArray() || document.size() >= value.asInt();
            case "maxItems" -> !document.isArray() || document.size() <= value.asInt();
            case "required" ->
                !document.isObject() || value.values().stream().allMatch(name -> document.has(name.asString()));
            case "properties" ->
                !document.isObject()
                        || value.properties().stream()
                                .allMatch(property -> !document.has(property.getKey())
                                        || fits(property.getValue(), document.get(property.getKey())));
            case "additionalProperties" ->
                !document.isObject()
                        || document.properties().stream()
                                .allMatch(property -> schema.path("properties").has(property.getKey())
                                        || fits(value, property.getValue()));
            case "prefixItems" -> !document.isArray() || firstFit(value, document);
            case "items" -> !document.isArray() || othersFit(schema, document);
            case "$defs", "title", "description" -> true;
            default -> throw new IllegalArgumentException(keyword);
        };
    }

    private long count(JsonNode schemas, JsonNode document) {
        return schemas.values().stream()
                .filter(schema -> fits(schema, document))
                .count();
    }

    private boolean firstFit(JsonNode schemas, JsonNode document) {
        for (int i = 0; i < Math.min(schemas.size(), document.size()); i++) {
            if (!fits(schemas.get(i), document.get(i))) {
                return false;
            }
        }
        return true;
    }

    private boolean othersFit(JsonNode schema, JsonNode document) {
        for (int i = schema.path("prefixItems").size(); i < document.size(); i++) {
            if (!fits(schema.get("items"), document.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static int characters(JsonNode text) {
        return text.asString().codePointCount(0, text.asString().length());
    }

    private static int compare(JsonNode a, JsonNode b) {
        return a.decimalValue().compareTo(b.decimalValue());
    }

    private static boolean isOf(String type, JsonNode document) {
        return switch (type) {
            case "integer" ->
                document.isNumber()
                        && document.decimalValue().remainder(BigDecimal.ONE).signum() == 0;
            case "number" -> document.isNumber();
            case "string" -> document.isString();
            case "boolean" -> document.isBoolean();
            case "null" -> document.isNull();
            case "array" -> document.isArray();
            case "object" -> document.isObject();
            default -> throw new IllegalArgumentException(type);
        };
    }

    /** Whether two values are the same; 1 and 1.0 are. */
    static boolean same(JsonNode a, JsonNode b) {
        if (a.isNumber() && b.isNumber()) {
            return compare(a, b) == 0;
        }
        if (a.isArray() && b.isArray() && a.size() == b.size()) {
            for (int i = 0; i < a.size(); i++) {
                if (!same(a.get(i), b.get(i))) {
                    return false;
                }
            }
            return true;
        }
        if (a.isObject() && b.isObject()) {
            Set<String> names = new HashSet<>(a.propertyNames());
            return names.equals(new HashSet<>(b.propertyNames()))
                    && names.stream().allMatch(name -> same(a.get(name), b.get(name)));
        }
        return a.equals(b);
    }
}
