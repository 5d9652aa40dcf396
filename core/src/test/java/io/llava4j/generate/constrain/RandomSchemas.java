package io.llava4j.generate.constrain;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/** Draws schemas, documents that fit them, and spellings of a document. */
final class RandomSchemas {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final List<String> NAMES = List.of("a", "age", "a b", "größe", "x\"y", "Name", "z\n", "𝒳");
    private static final String[] CHARACTERS = {
        "a", "e", " ", "ß", "水", "😀", "\"", "\\", "/", "\n", "\u0001", "Z", "1", ",", "}"
    };

    private final Random random;
    private final ObjectNode root;

    RandomSchemas(long seed) {
        this.random = new Random(seed);
        this.root = NODES.objectNode();
    }

    /** A schema; some refer to themselves. */
    JsonNode schema() {
        ObjectNode drawn = draw(3);
        root.setAll(drawn);
        ObjectNode tree = NODES.objectNode().put("type", "object");
        tree.putObject("properties").set("leaf", draw(0));
        ObjectNode twigs =
                ((ObjectNode) tree.get("properties")).putObject("twigs").put("type", "array");
        twigs.putObject("items").put("$ref", "#/$defs/tree");
        twigs.put("maxItems", 2);
        tree.put("additionalProperties", false);
        root.putObject("$defs").set("tree", tree);
        return root;
    }

    private ObjectNode draw(int levels) {
        return switch (random.nextInt(levels > 0 ? 11 : 6)) {
            case 0 -> text();
            case 1 -> number();
            case 2 -> NODES.objectNode().put("type", random.nextBoolean() ? "boolean" : "null");
            case 3 -> constants();
            case 4 -> NODES.objectNode().put("$ref", "#/$defs/tree");
            case 5 -> severalTypes();
            case 6 -> alternatives(levels - 1);
            case 7, 8 -> array(levels - 1);
            default -> object(levels - 1);
        };
    }

    private ObjectNode text() {
        ObjectNode schema = NODES.objectNode().put("type", "string");
        if (random.nextBoolean()) {
            schema.put("minLength", random.nextInt(4));
        }
        if (random.nextBoolean()) {
            schema.put("maxLength", 4 + random.nextInt(8));
        }
        return schema;
    }

    private ObjectNode number() {
        boolean isInteger = random.nextBoolean();
        ObjectNode schema = NODES.objectNode().put("type", isInteger ? "integer" : "number");
        double low = isInteger ? random.nextInt(-2000, 2000) : random.nextInt(-2000, 2000) / 16.0;
        if (random.nextBoolean()) {
            put(schema, random.nextBoolean() ? "minimum" : "exclusiveMinimum", low, isInteger);
        }
        if (random.nextBoolean()) {
            put(
                    schema,
                    random.nextBoolean() ? "maximum" : "exclusiveMaximum",
                    low + 2 + random.nextInt(300),
                    isInteger);
        }
        return schema;
    }

    private static void put(ObjectNode schema, String keyword, double value, boolean isInteger) {
        if (isInteger) {
            schema.put(keyword, (long) value);
        } else {
            schema.put(keyword, value);
        }
    }

    private ObjectNode constants() {
        ObjectNode schema = NODES.objectNode();
        ArrayNode values = schema.putArray("enum");
        int count = 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            values.add(value(2));
        }
        return schema;
    }

    private ObjectNode severalTypes() {
        ObjectNode schema = NODES.objectNode().put("maxLength", 3);
        schema.putArray("type").add("string").add("null").add(random.nextBoolean() ? "integer" : "array");
        return schema;
    }

    private ObjectNode alternatives(int levels) {
        ObjectNode schema = NODES.objectNode();
        ArrayNode values = schema.putArray("anyOf");
        int count = 1 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            values.add(draw(levels));
        }
        return schema;
    }

    private ObjectNode array(int levels) {
        ObjectNode schema = NODES.objectNode().put("type", "array");
        int first = random.nextInt(3);
        if (first > 0) {
            ArrayNode rules = schema.putArray("prefixItems");
            for (int i = 0; i < first; i++) {
                rules.add(draw(levels));
            }
        }
        switch (random.nextInt(3)) {
            case 0 -> schema.put("items", false);
            case 1 -> schema.set("items", draw(levels));
            default -> {}
        }
        int max = first + (schema.path("items").isBoolean() ? 0 : random.nextInt(3));
        schema.put("minItems", random.nextInt(max + 1));
        schema.put("maxItems", max);
        return schema;
    }

    private ObjectNode object(int levels) {
        ObjectNode schema = NODES.objectNode().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = NODES.arrayNode();
        int count = random.nextInt(4);
        for (int i = 0; i < count; i++) {
            String name = NAMES.get(random.nextInt(NAMES.size()));
            properties.set(name, draw(levels));
            if (random.nextBoolean()) {
                required.add(name);
            }
        }
        if (!required.isEmpty()) {
            schema.set("required", required);
        }
        switch (random.nextInt(3)) {
            case 0 -> schema.put("additionalProperties", false);
            case 1 -> schema.set("additionalProperties", draw(0));
            default -> {}
        }
        return schema;
    }

    /** A document that fits the schema; null if a few attempts gave none. */
    @Nullable
    JsonNode document(SchemaValidator validator) {
        for (int i = 0; i < 50; i++) {
            JsonNode document = fitting(root, 6);
            if (document != null && validator.fits(document)) {
                return document;
            }
        }
        return null;
    }

    private @Nullable JsonNode fitting(JsonNode schema, int levels) {
        if (levels < 0) {
            return null;
        }
        if (schema.has("$ref")) {
            return fitting(root.at(schema.get("$ref").asString().substring(1)), levels - 1);
        }
        if (schema.has("anyOf")) {
            return fitting(
                    schema.get("anyOf").get(random.nextInt(schema.get("anyOf").size())), levels);
        }
        if (schema.has("enum")) {
            return schema.get("enum").get(random.nextInt(schema.get("enum").size()));
        }
        JsonNode type = schema.path("type");
        String name = type.isArray() ? type.get(random.nextInt(type.size())).asString() : type.asString("");
        return switch (name) {
            case "array" -> fittingArray(schema, levels);
            case "object" -> fittingObject(schema, levels);
            case "string" ->
                NODES.stringNode(characters(schema.path("minLength").asInt(0) + random.nextInt(4)));
            case "integer" -> NODES.numberNode((long) near(schema));
            case "number" -> NODES.numberNode(near(schema));
            case "boolean" -> NODES.booleanNode(random.nextBoolean());
            case "null" -> NODES.nullNode();
            default -> value(2);
        };
    }

    private double near(JsonNode schema) {
        double low =
                schema.path("minimum").asDouble(schema.path("exclusiveMinimum").asDouble(-50));
        double high =
                schema.path("maximum").asDouble(schema.path("exclusiveMaximum").asDouble(low + 9000));
        return random.nextInt(3) == 0
                ? Math.rint(low + 1)
                : Math.rint((low + random.nextDouble() * (high - low)) * 8) / 8;
    }

    private @Nullable JsonNode fittingArray(JsonNode schema, int levels) {
        ArrayNode array = NODES.arrayNode();
        int min = schema.path("minItems").asInt(0);
        int count = min + random.nextInt(Math.min(3, schema.path("maxItems").asInt(3) - min + 1));
        for (int i = 0; i < count; i++) {
            JsonNode rule = i < schema.path("prefixItems").size()
                    ? schema.get("prefixItems").get(i)
                    : schema.path("items");
            JsonNode element = rule.isMissingNode() ? value(1) : fitting(rule, levels - 1);
            if (element == null) {
                return null;
            }
            array.add(element);
        }
        return array;
    }

    private @Nullable JsonNode fittingObject(JsonNode schema, int levels) {
        ObjectNode object = NODES.objectNode();
        List<String> required = schema.path("required").values().stream()
                .map(JsonNode::asString)
                .toList();
        List<String> names = new ArrayList<>(schema.path("properties").propertyNames());
        JsonNode others = schema.path("additionalProperties");
        if (!others.isBoolean() && random.nextBoolean()) {
            names.add(NAMES.get(random.nextInt(NAMES.size())));
        }
        Collections.shuffle(names, random);
        for (String name : names) {
            if (required.contains(name) || random.nextInt(3) > 0) {
                JsonNode rule = schema.path("properties").path(name);
                JsonNode value = !rule.isMissingNode()
                        ? fitting(rule, levels - 1)
                        : others.isObject() ? fitting(others, levels - 1) : value(1);
                if (value != null) {
                    object.set(name, value);
                }
            }
        }
        return object;
    }

    /** Any value. */
    private JsonNode value(int levels) {
        return switch (random.nextInt(levels > 0 ? 7 : 5)) {
            case 0 -> NODES.numberNode(random.nextInt(-500, 500));
            case 1 -> NODES.numberNode(random.nextInt(-500, 500) / 8.0);
            case 2 -> NODES.booleanNode(random.nextBoolean());
            case 3 -> NODES.nullNode();
            case 4 -> NODES.stringNode(characters(random.nextInt(5)));
            case 5 -> {
                ArrayNode array = NODES.arrayNode();
                for (int i = random.nextInt(3); i > 0; i--) {
                    array.add(value(levels - 1));
                }
                yield array;
            }
            default -> {
                ObjectNode object = NODES.objectNode();
                for (int i = random.nextInt(3); i > 0; i--) {
                    object.set(NAMES.get(random.nextInt(NAMES.size())), value(levels - 1));
                }
                yield object;
            }
        };
    }

    private String characters(int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(CHARACTERS[random.nextInt(CHARACTERS.length)]);
        }
        return text.toString();
    }

    /** The document in JSON with whitespace and escapes at random. */
    String spell(JsonNode document) {
        String text;
        if (document.isArray()) {
            StringJoiner elements = new StringJoiner(",", "[", gap() + "]");
            document.values().forEach(element -> elements.add(gap() + spell(element) + gap()));
            text = elements.toString();
        } else if (document.isObject()) {
            StringJoiner properties = new StringJoiner(",", "{", gap() + "}");
            document.properties()
                    .forEach(property -> properties.add(gap() + quote(property.getKey()) + gap() + ":" + gap()
                            + spell(property.getValue()) + gap()));
            text = properties.toString();
        } else {
            text = document.isString() ? quote(document.asString()) : document.toString();
        }
        return text;
    }

    private String gap() {
        return switch (random.nextInt(8)) {
            case 0 -> " ";
            case 1 -> "\n  ";
            case 2 -> "\r\n\t";
            default -> "";
        };
    }

    private String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (int codePoint : text.codePoints().toArray()) {
            String character = Character.toString(codePoint);
            boolean needsEscape = codePoint < ' ' || codePoint == '"' || codePoint == '\\';
            if (codePoint == '\n' && random.nextBoolean()) {
                quoted.append("\\n");
            } else if ((codePoint == '"' || codePoint == '\\' || codePoint == '/') && random.nextBoolean()) {
                quoted.append('\\').append(character);
            } else if (needsEscape || random.nextInt(8) == 0) {
                character
                        .chars()
                        .forEach(unit -> quoted.append((random.nextBoolean() ? "\\u%04x" : "\\u%04X").formatted(unit)));
            } else {
                quoted.append(character);
            }
        }
        return quoted.append('"').toString();
    }
}
