package io.llava4j.eval.reference;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.QuestionId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** Comparisons of computed values with the JSON of reference data, doubles to the last bit. */
public final class Checks {
    /** Receives the comparisons. */
    @FunctionalInterface
    public interface Sink {
        /**
         * Takes one.
         *
         * @param name what was compared
         * @param difference empty if equal
         */
        void accept(String name, String difference);
    }

    private final Sink sink;

    /** Comparisons that go to {@code sink}. */
    public Checks(Sink sink) {
        this.sink = sink;
    }

    /**
     * Compares a value with what is expected, in depth.
     *
     * @param actual a Map, List, String, Number, Boolean or null; NaN and infinities also equal their names
     * @param expected null if the reference data have no such value, which is a difference
     */
    public void same(String name, @Nullable Object actual, @Nullable JsonNode expected) {
        if (expected == null) {
            sink.accept(name, "not in the reference data");
            return;
        }
        List<String> wrong = new ArrayList<>();
        int[] compared = {0};
        compare("", actual, expected, wrong, compared);
        String counted = compared[0] > 1 ? "%s (%d)".formatted(name, compared[0]) : name;
        sink.accept(counted, wrong.isEmpty() ? "" : "%d differ: %s".formatted(wrong.size(), wrong.getFirst()));
    }

    /** Compares a text with the content of a file; both must agree to the last byte. */
    public void sameAsFile(String name, String actual, Path expected) {
        String wanted;
        try {
            wanted = new String(Files.readAllBytes(expected), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new DataException("%s: cannot be read (%s)".formatted(expected, e.getMessage()), e);
        }
        int at = 0;
        while (at < Math.min(actual.length(), wanted.length()) && actual.charAt(at) == wanted.charAt(at)) {
            at++;
        }
        sink.accept(
                name,
                actual.equals(wanted)
                        ? ""
                        : "differs at character %d: '%s' instead of '%s'"
                                .formatted(at, excerpt(actual, at), excerpt(wanted, at)));
    }

    private static String excerpt(String text, int at) {
        return text.substring(Math.max(0, at - 10), Math.min(text.length(), at + 30));
    }

    private static void compare(
            String path, @Nullable Object actual, JsonNode expected, List<String> wrong, int[] compared) {
        if (actual instanceof Map<?, ?> map && expected.isObject()) {
            Set<String> fields = map.keySet().stream().map(String::valueOf).collect(Collectors.toSet());
            for (String field : expected.propertyNames()) {
                if (!fields.contains(field)) {
                    wrong.add("%s/%s is missing".formatted(path, field));
                }
            }
            map.forEach((key, value) -> {
                String name = path + "/" + key;
                JsonNode node = expected.get(String.valueOf(key));
                if (node == null) {
                    wrong.add("%s is %s, but not expected".formatted(name, value));
                } else {
                    compare(name, value, node, wrong, compared);
                }
            });
        } else if (actual instanceof List<?> list && expected.isArray()) {
            if (list.size() != expected.size()) {
                wrong.add("%s has %d elements instead of %d".formatted(path, list.size(), expected.size()));
            }
            for (int i = 0; i < Math.min(list.size(), expected.size()); i++) {
                compare(path + "/" + i, list.get(i), expected.get(i), wrong, compared);
            }
        } else {
            compared[0]++;
            if (!same(actual, expected)) {
                wrong.add("%s is %s, expected %s".formatted(path, actual, expected));
            }
        }
    }

    private static boolean same(@Nullable Object actual, JsonNode expected) {
        return switch (actual) {
            case null -> expected.isNull();
            case Boolean b -> expected.isBoolean() && expected.booleanValue() == b;
            case Number number -> sameNumber(number.doubleValue(), expected);
            case QuestionId id ->
                expected.isString() != id.number() && expected.asString("").equals(id.value());
            default -> expected.isString() && expected.stringValue().equals(actual.toString());
        };
    }

    private static boolean sameNumber(double actual, JsonNode expected) {
        return expected.isNumber()
                ? actual == expected.doubleValue()
                : !Double.isFinite(actual)
                        && expected.isString()
                        && expected.stringValue().equals(PythonText.repr(actual));
    }
}
