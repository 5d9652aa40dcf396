package io.llava4j.train.config;

import io.llava4j.ConfigException;
import io.llava4j.io.KebabCase;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Values of single keys: numbers, truth values, names, paths. */
final class Scalars {
    private Scalars() {}

    /**
     * A value of a key's type.
     *
     * @param given what the file holds
     * @param key named in messages
     * @param notes receives a sentence if the value is an old name of an enum's constant
     * @throws ConfigException if it is of the wrong kind
     */
    static Object convert(Class<?> type, Object given, String key, Consumer<String> notes) {
        if (given instanceof Map || given instanceof List) {
            throw wrong(key, given, expectation(type));
        }
        String text = given.toString();
        if (type.isEnum()) {
            return constant(type, text, key, notes).orElseThrow(() -> wrong(key, given, expectation(type)));
        }
        if (type == boolean.class || type == Boolean.class) {
            return switch (text.toLowerCase(Locale.ROOT)) {
                case "true" -> true;
                case "false" -> false;
                default -> throw wrong(key, given, expectation(type));
            };
        }
        try {
            return switch (type.getSimpleName()) {
                case "int", "Integer" -> Integer.valueOf(text);
                case "long", "Long" -> Long.valueOf(text);
                case "double", "Double" -> Double.valueOf(text);
                case "Path" -> Path.of(text);
                case "String" -> text;
                default -> throw new IllegalStateException(type.getName());
            };
        } catch (IllegalArgumentException e) {
            throw wrong(key, given, expectation(type));
        }
    }

    private static Optional<Object> constant(Class<?> type, String text, String key, Consumer<String> notes) {
        String wanted = KebabCase.of(text);
        for (Object constant : type.getEnumConstants()) {
            String name = KebabCase.of((Enum<?>) constant);
            if (name.equals(wanted)) {
                return Optional.of(constant);
            }
            Alias alias = alias(type, (Enum<?>) constant);
            if (alias != null && alias.value().equals(wanted)) {
                notes.accept("%s: '%s' is now called '%s'".formatted(key, wanted, name));
                return Optional.of(constant);
            }
        }
        return Optional.empty();
    }

    private static @Nullable Alias alias(Class<?> type, Enum<?> constant) {
        try {
            return type.getField(constant.name()).getAnnotation(Alias.class);
        } catch (NoSuchFieldException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What a key of this type may hold, as the end of "must be". */
    static String expectation(Class<?> type) {
        if (type.isEnum()) {
            return String.join(
                    " or ",
                    Arrays.stream(type.getEnumConstants())
                            .map(c -> KebabCase.of((Enum<?>) c))
                            .toList());
        }
        return switch (type.getSimpleName()) {
            case "int", "Integer", "long", "Long" -> "a whole number";
            case "double", "Double" -> "a number";
            case "boolean", "Boolean" -> "true or false";
            case "Path" -> "a path";
            default -> "a value";
        };
    }

    static ConfigException wrong(String key, Object given, String expected) {
        return new ConfigException("%s must be %s, not '%s'".formatted(key, expected, given));
    }
}
