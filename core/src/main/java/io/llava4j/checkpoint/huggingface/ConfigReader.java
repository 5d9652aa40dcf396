package io.llava4j.checkpoint.huggingface;

import io.llava4j.ConfigException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Typed access to an object of a config.json; absent and null are the same. Errors name file and key. */
public record ConfigReader(Path file, String path, ObjectNode node) {
    /** Larger sizes are mistakes; the limit keeps every product of two sizes within a long. */
    private static final int LARGEST_SIZE = 1 << 24;

    /** Whether the key is present and not null. */
    public boolean has(String key) {
        return node.hasNonNull(key);
    }

    Optional<ConfigReader> child(String key) {
        JsonNode value = node.path(key);
        if (value.isMissingNode() || value.isNull()) {
            return Optional.empty();
        }
        if (value instanceof ObjectNode object) {
            return Optional.of(new ConfigReader(file, path + key + ".", object));
        }
        throw bad(key, "an object");
    }

    /** A positive size, or {@code absent} if there is no such key. */
    public int size(String key, int absent) {
        int value = integer(key).orElse(absent);
        if (value < 1 || value > LARGEST_SIZE) {
            throw bad(key, "a whole number from 1 to " + LARGEST_SIZE);
        }
        return value;
    }

    OptionalInt integer(String key) {
        return has(key) ? OptionalInt.of(integer(key, node.get(key))) : OptionalInt.empty();
    }

    private int integer(String key, JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw bad(key, "a whole number");
        }
        return value.intValue();
    }

    /** A list of numbers; empty if there is none. */
    Optional<List<Double>> numbers(String key) {
        if (!has(key)) {
            return Optional.empty();
        }
        List<Double> numbers = new ArrayList<>();
        for (JsonNode element : node.get(key)) {
            if (!element.isNumber()) {
                throw bad(key, "a list of numbers");
            }
            numbers.add(element.doubleValue());
        }
        return Optional.of(List.copyOf(numbers));
    }

    /** Token ids under a key that holds one or a list of them; those below 0 stand for none. */
    List<Integer> tokenIds(String key) {
        List<Integer> ids = new ArrayList<>();
        if (has(key)) {
            JsonNode value = node.get(key);
            for (JsonNode element : value.isArray() ? value : List.of(value)) {
                ids.add(integer(key, element));
            }
        }
        ids.removeIf(id -> id < 0);
        return ids;
    }

    List<Integer> sizes(String key) {
        if (!has(key)) {
            return List.of();
        }
        if (!node.get(key).isArray()) {
            throw bad(key, "a list of whole numbers");
        }
        List<Integer> values = new ArrayList<>();
        for (JsonNode element : node.get(key)) {
            int value = integer(key, element);
            if (value < 1 || value > LARGEST_SIZE) {
                throw bad(key, "a list of whole numbers from 1 to " + LARGEST_SIZE);
            }
            values.add(value);
        }
        return List.copyOf(values);
    }

    /** A positive number, or {@code absent} if there is no such key. */
    public double positive(String key, double absent) {
        if (!has(key)) {
            return absent;
        }
        JsonNode value = node.get(key);
        if (!value.isNumber() || !(value.doubleValue() > 0) || Double.isInfinite(value.doubleValue())) {
            throw bad(key, "a number above 0");
        }
        return value.doubleValue();
    }

    boolean flag(String key, boolean absent) {
        if (!has(key)) {
            return absent;
        }
        if (!node.get(key).isBoolean()) {
            throw bad(key, "true or false");
        }
        return node.get(key).booleanValue();
    }

    /** A string; empty if there is no such key. */
    public Optional<String> string(String key) {
        if (!has(key)) {
            return Optional.empty();
        }
        if (!node.get(key).isString()) {
            throw bad(key, "a string");
        }
        return Optional.of(node.get(key).stringValue());
    }

    /** Rejects a variant of the network that llava4j does not implement. */
    public void requireAbsentOr(String key, JsonNode only) {
        if (has(key) && !node.get(key).equals(only)) {
            throw bad(key, only.toString());
        }
    }

    /** The error for a value that cannot be used, with what is {@code wanted} instead. */
    public ConfigException bad(String key, String wanted) {
        String value = node.has(key) ? node.get(key).toString() : "missing";
        return new ConfigException("%s: %s%s is %s; llava4j needs %s"
                .formatted(file, path, key, value.length() > 80 ? value.substring(0, 80) + "…" : value, wanted));
    }
}
