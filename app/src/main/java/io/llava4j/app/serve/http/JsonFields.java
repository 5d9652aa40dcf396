package io.llava4j.app.serve.http;

import io.llava4j.io.Quote;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads the fields of a JSON object by name and type; {@link #finish} refuses those that nobody asked for. A field with the
 * value null counts as absent.
 */
public final class JsonFields {
    private final String path;
    private final ObjectNode node;
    private final Set<String> known = new HashSet<>();

    /** @param path of the object in the request; empty for the request itself */
    public JsonFields(String path, ObjectNode node) {
        this.path = path;
        this.node = node;
    }

    /** Path of a field in the request. */
    public String at(String name) {
        return path.isEmpty() ? name : path + "." + name;
    }

    /** What is wrong with a field. */
    public ApiException invalid(String name, String problem) {
        return ApiException.invalid(at(name), at(name) + " " + problem);
    }

    /** The field, or null. */
    public @Nullable JsonNode get(String name) {
        known.add(name);
        JsonNode value = node.get(name);
        return value == null || value.isNull() ? null : value;
    }

    /** Whether the field is there. */
    public boolean has(String name) {
        return get(name) != null;
    }

    /** A text, or null. */
    public @Nullable String text(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (!value.isString()) {
            throw invalid(name, "must be a string");
        }
        return value.stringValue();
    }

    /** A text that must be there. */
    public String requiredText(String name) {
        String value = text(name);
        if (value == null) {
            throw invalid(name, "is missing");
        }
        return value;
    }

    /** A whole number in a range, or the default. */
    public long whole(String name, long min, long max, long absent) {
        JsonNode value = get(name);
        if (value == null) {
            return absent;
        }
        if (!value.isIntegralNumber()
                || !value.canConvertToLong()
                || value.longValue() < min
                || value.longValue() > max) {
            throw invalid(name, "must be a whole number from %d to %d".formatted(min, max));
        }
        return value.longValue();
    }

    /** A number in a range, or the default. */
    public double number(String name, double min, double max, double absent) {
        JsonNode value = get(name);
        if (value == null) {
            return absent;
        }
        double number = value.isNumber() ? value.doubleValue() : Double.NaN;
        if (!(number >= min && number <= max)) {
            throw invalid(name, "must be a number from %s to %s".formatted(shown(min), shown(max)));
        }
        return number;
    }

    private static String shown(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }

    /** True or false, or the default. */
    public boolean flag(String name, boolean absent) {
        JsonNode value = get(name);
        if (value == null) {
            return absent;
        }
        if (!value.isBoolean()) {
            throw invalid(name, "must be true or false");
        }
        return value.booleanValue();
    }

    /** An object, or null. */
    public @Nullable JsonFields object(String name) {
        JsonNode value = get(name);
        return value == null ? null : objectOf(at(name), value);
    }

    /** The fields of a value that must be an object. */
    public static JsonFields objectOf(String path, JsonNode value) {
        if (value instanceof ObjectNode object) {
            return new JsonFields(path, object);
        }
        throw ApiException.invalid(path, path + " must be an object");
    }

    /** An array, or null. */
    public @Nullable ArrayNode array(String name) {
        JsonNode value = get(name);
        if (value == null) {
            return null;
        }
        if (value instanceof ArrayNode array) {
            return array;
        }
        throw invalid(name, "must be an array");
    }

    /** The objects of an array that must be there. */
    public List<JsonFields> requiredObjects(String name) {
        ArrayNode array = array(name);
        if (array == null) {
            throw invalid(name, "is missing");
        }
        List<JsonFields> objects = new ArrayList<>();
        for (int i = 0; i < array.size(); i++) {
            objects.add(objectOf(at(name) + "[" + i + "]", array.get(i)));
        }
        return objects;
    }

    /** A text or an array of at most {@code most} texts; empty if absent. */
    public List<String> texts(String name, int most) {
        JsonNode value = get(name);
        if (value == null) {
            return List.of();
        }
        List<JsonNode> all = value instanceof ArrayNode array ? List.copyOf(array.values()) : List.of(value);
        if (all.size() > most || all.stream().anyMatch(each -> !each.isString())) {
            throw invalid(name, "must be a string or an array of at most %d strings".formatted(most));
        }
        return all.stream().map(JsonNode::stringValue).toList();
    }

    /** Fields that change nothing here whatever their value is. */
    public JsonFields harmless(String... names) {
        known.addAll(List.of(names));
        return this;
    }

    /** A field that cannot be honoured; allowed only with a value that asks for nothing. */
    public JsonFields only(String name, Predicate<JsonNode> asksForNothing) {
        JsonNode value = get(name);
        if (value != null && !asksForNothing.test(value)) {
            throw invalid(name, "is not supported here; leave it out");
        }
        return this;
    }

    /** Fields that cannot be honoured; allowed only if they are empty, zero or false. */
    public JsonFields unsupported(String... names) {
        for (String name : names) {
            only(name, JsonFields::isNothing);
        }
        return this;
    }

    private static boolean isNothing(JsonNode value) {
        return value.isContainer() && value.isEmpty()
                || value.isNumber() && value.doubleValue() == 0
                || value.isBoolean() && !value.booleanValue();
    }

    /** Whether the value is one of these texts. */
    public static Predicate<JsonNode> oneOf(String... texts) {
        return value -> value.isString() && List.of(texts).contains(value.stringValue());
    }

    /**
     * Refuses every field that was not asked for.
     *
     * @throws ApiException naming the first of them
     */
    public void finish() {
        for (String name : node.propertyNames()) {
            if (!known.contains(name)) {
                String shown = path.isEmpty() ? Quote.of(name) : Quote.of(name) + " in " + path;
                throw ApiException.invalid(
                        at(name), "the parameter " + shown + " is unknown or not supported here; leave it out");
            }
        }
    }
}
