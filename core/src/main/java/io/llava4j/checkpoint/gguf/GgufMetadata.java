package io.llava4j.checkpoint.gguf;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.io.FileErrors;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/**
 * Keys and values in the header of a GGUF file. Values are Long, Double, Boolean, String, or lists of one of them. Errors
 * name file and key.
 *
 * @param file for messages
 * @param values by key
 */
public record GgufMetadata(Path file, Map<String, Object> values) {
    static final String ARCHITECTURE = "general.architecture";

    /** Larger sizes are mistakes; config.json has the same limit. */
    private static final int LARGEST_SIZE = 1 << 24;

    boolean has(String key) {
        return values.containsKey(key);
    }

    int size(String key) {
        return checkedSize(key, integer(key).orElseThrow(() -> missing(key)));
    }

    int size(String key, int absent) {
        return checkedSize(key, integer(key).orElse(absent));
    }

    private int checkedSize(String key, int value) {
        if (value < 1 || value > LARGEST_SIZE) {
            throw bad(key, "a whole number from 1 to " + LARGEST_SIZE);
        }
        return value;
    }

    OptionalInt integer(String key) {
        if (!has(key)) {
            return OptionalInt.empty();
        }
        if (values.get(key) instanceof Long value && value.intValue() == value) {
            return OptionalInt.of(value.intValue());
        }
        throw bad(key, "a whole number");
    }

    double positive(String key) {
        if (!has(key)) {
            throw missing(key);
        }
        return positive(key, 1);
    }

    double positive(String key, double absent) {
        if (!has(key)) {
            return absent;
        }
        if (values.get(key) instanceof Double value && value > 0 && !value.isInfinite()) {
            return value;
        }
        throw bad(key, "a number above 0");
    }

    boolean flag(String key, boolean absent) {
        return switch (values.get(key)) {
            case null -> absent;
            case Boolean value -> value;
            default -> throw bad(key, "true or false");
        };
    }

    /** The string of a key; empty if the key is missing. */
    public Optional<String> string(String key) {
        return switch (values.get(key)) {
            case null -> Optional.empty();
            case String value -> Optional.of(value);
            default -> throw bad(key, "a string");
        };
    }

    /** The list of a key, whose values are of one type; empty if the key is missing. */
    public <T> Optional<List<T>> list(String key, Class<T> type) {
        Object value = values.get(key);
        if (value == null) {
            return Optional.empty();
        }
        if (value instanceof List<?> list && list.stream().allMatch(type::isInstance)) {
            return Optional.of(list.stream().map(type::cast).toList());
        }
        throw bad(key, "a list of " + type.getSimpleName().toLowerCase(Locale.ROOT) + " values");
    }

    /** Rejects a variant of the network that llava4j does not implement. */
    void requireAbsentOr(String key, Object only) {
        Object value = values.get(key);
        if (value != null && !value.equals(only)) {
            throw bad(key, only.toString());
        }
    }

    /** Rejects a key of a group that is not {@code known}, unless its value switches nothing on. */
    void requireNoOthers(String prefix, Pattern known) {
        values.forEach((key, value) -> {
            if (key.startsWith(prefix)
                    && !known.matcher(key).matches()
                    && !List.of(0L, 0.0, false, "").contains(value)) {
                throw bad(key, "a model without this key");
            }
        });
    }

    ConfigException bad(String key, String wanted) {
        return new ConfigException("%s: %s is %s; llava4j needs %s"
                .formatted(file, key, FileErrors.shown(String.valueOf(values.get(key))), wanted));
    }

    private CheckpointException missing(String key) {
        return new CheckpointException("%s: key %s is missing; convert the model again".formatted(file, key));
    }
}
