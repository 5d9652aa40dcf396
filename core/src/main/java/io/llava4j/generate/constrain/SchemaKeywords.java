package io.llava4j.generate.constrain;

import io.llava4j.ConfigException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * The keywords of one schema object, each read with a check of its type.
 *
 * @param path where the object stands, as a fragment with a JSON pointer
 * @param schema the object
 */
record SchemaKeywords(String path, JsonNode schema) {
    /** Keywords that say nothing about which documents fit, or are read where they are referred to. */
    private static final Set<String> ANNOTATIONS = Set.of(
            "$schema",
            "$comment",
            "$defs",
            "definitions",
            "title",
            "description",
            "default",
            "examples",
            "deprecated",
            "readOnly",
            "writeOnly");

    /** Keywords that constrain documents, in the order of the documentation. */
    private static final Set<String> CONSTRAINTS = Set.of(
            "type",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "prefixItems",
            "minItems",
            "maxItems",
            "minLength",
            "maxLength",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "enum",
            "const",
            "anyOf",
            "oneOf",
            "allOf",
            "$ref");

    /** Keywords that are checked against constants. */
    private static final Set<String> BESIDE_CONSTANTS =
            Set.of("type", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");

    /**
     * Checks all texts and numbers inside.
     *
     * @throws ConfigException if JSON in UTF-8 or a double cannot hold one
     */
    void requireWritable() {
        if (schema.isString() && !isWritable(schema.asString())
                || schema.isObject() && !schema.propertyNames().stream().allMatch(SchemaKeywords::isWritable)) {
            throw refused("holds half a surrogate pair, which no character is");
        }
        if (schema.isNumber() && !Double.isFinite(schema.asDouble())) {
            throw refused("holds a number that is too large for a double");
        }
        for (String name : schema.propertyNames()) {
            child(name).requireWritable();
        }
        for (int i = 0; schema.isArray() && i < schema.size(); i++) {
            child(Integer.toString(i)).requireWritable();
        }
    }

    private static boolean isWritable(String text) {
        return text.codePoints().noneMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
    }

    /** The constraining keywords of the object. */
    Set<String> constraints() {
        Set<String> found = new TreeSet<>(schema.propertyNames());
        found.removeAll(ANNOTATIONS);
        // The name of the whole schema changes what references mean only where it stands further inside.
        found.removeIf(keyword -> keyword.equals("$id") && path.equals("#")
                || keyword.equals("uniqueItems")
                        && schema.get(keyword).isBoolean()
                        && !schema.get(keyword).asBoolean());
        for (String keyword : found) {
            if (!CONSTRAINTS.contains(keyword)) {
                throw refused("uses '%s', which constrained decoding cannot honour; leave it out".formatted(keyword));
            }
        }
        return found;
    }

    /** The only constraining keyword of the object is this one. */
    JsonNode alone(String keyword, Set<String> constraints) {
        for (String other : constraints) {
            if (!other.equals(keyword)) {
                throw refused("uses '%s' beside '%s', which constrained decoding cannot honour; move it into '%s'"
                        .formatted(other, keyword, keyword));
            }
        }
        return get(keyword);
    }

    /** What remains of the constants under {@code const} or {@code enum} with the keywords beside them. */
    List<JsonNode> permittedConstants(Set<String> constraints) {
        String keyword = has("const") ? "const" : "enum";
        for (String other : constraints) {
            if (!other.equals(keyword) && !BESIDE_CONSTANTS.contains(other)) {
                throw refused("uses '%s' beside '%s', which constrained decoding cannot honour; leave out one of them"
                        .formatted(other, keyword));
            }
        }
        List<JsonNode> constants = keyword.equals("const") ? List.of(get(keyword)) : array(keyword);
        return constants.stream().filter(this::permits).toList();
    }

    private boolean permits(JsonNode constant) {
        int length = constant.isString()
                ? constant.asString().codePointCount(0, constant.asString().length())
                : 0;
        return types().stream().anyMatch(type -> type.includes(constant))
                && (!constant.isString()
                        || length >= count("minLength", 0) && length <= count("maxLength", Integer.MAX_VALUE))
                && (!constant.isNumber() || bounds().contain(constant.decimalValue()));
    }

    /** The types under {@code type}; all of them if it is missing. */
    Set<JsonType> types() {
        JsonNode value = schema.get("type");
        if (value == null) {
            return EnumSet.complementOf(EnumSet.of(JsonType.INTEGER));
        }
        Set<JsonType> types = EnumSet.noneOf(JsonType.class);
        for (String name : value.isString() ? List.of(value.asString()) : texts("type")) {
            types.add(Arrays.stream(JsonType.values())
                    .filter(type -> type.label().equals(name))
                    .findFirst()
                    .orElseThrow(() -> refused("has the unknown type '%s'".formatted(name))));
        }
        if (types.contains(JsonType.NUMBER)) {
            types.remove(JsonType.INTEGER);
        }
        return types;
    }

    /** The bounds of numbers. */
    NumberBounds bounds() {
        return new NumberBounds(
                number("minimum"), number("exclusiveMinimum"), number("maximum"), number("exclusiveMaximum"));
    }

    /** The names of the properties of an object under a keyword; none if it is missing. */
    List<String> names(String keyword) {
        JsonNode value = schema.get(keyword);
        if (value == null) {
            return List.of();
        }
        if (!value.isObject()) {
            throw refused("has '%s' that is no object".formatted(keyword));
        }
        return List.copyOf(value.propertyNames());
    }

    boolean has(String keyword) {
        return schema.has(keyword);
    }

    JsonNode get(String keyword) {
        return schema.get(keyword);
    }

    /** The subschema under a keyword. */
    SchemaKeywords child(String... keys) {
        StringBuilder longer = new StringBuilder(path);
        JsonNode node = schema;
        for (String key : keys) {
            longer.append('/').append(key.replace("~", "~0").replace("/", "~1"));
            node = node.isArray() ? node.get(Integer.parseInt(key)) : node.get(key);
        }
        return new SchemaKeywords(longer.toString(), node);
    }

    /** A number of 0 or more; a limit beyond the range of int is none. */
    int count(String keyword, int otherwise) {
        JsonNode value = schema.get(keyword);
        if (value == null) {
            return otherwise;
        }
        BigDecimal number = number(keyword, value);
        if (number.signum() < 0 || number.stripTrailingZeros().scale() > 0) {
            throw refused("has '%s' %s; it must be a whole number of 0 or more".formatted(keyword, value));
        }
        return number.min(BigDecimal.valueOf(Integer.MAX_VALUE)).intValue();
    }

    /** A number; null if the keyword is missing. */
    @Nullable
    BigDecimal number(String keyword) {
        JsonNode value = schema.get(keyword);
        return value == null ? null : number(keyword, value);
    }

    private BigDecimal number(String keyword, JsonNode value) {
        if (!value.isNumber()) {
            throw refused("has '%s' %s; it must be a number".formatted(keyword, value));
        }
        return value.decimalValue();
    }

    /** The elements under a keyword, which must be an array. */
    List<JsonNode> array(String keyword) {
        JsonNode value = schema.get(keyword);
        if (!value.isArray()) {
            throw refused("has '%s' that is no array".formatted(keyword));
        }
        return new ArrayList<>(value.values());
    }

    /** The texts under a keyword, which must be an array of them; none if it is missing. */
    List<String> texts(String keyword) {
        List<String> texts = new ArrayList<>();
        for (JsonNode value : has(keyword) ? array(keyword) : List.<JsonNode>of()) {
            if (!value.isString()) {
                throw refused("has '%s' with %s; it must hold strings".formatted(keyword, value));
            }
            texts.add(value.asString());
        }
        return texts;
    }

    /** The schema cannot be used. */
    ConfigException refused(String why) {
        return new ConfigException("the JSON schema at %s %s".formatted(path, why));
    }
}
