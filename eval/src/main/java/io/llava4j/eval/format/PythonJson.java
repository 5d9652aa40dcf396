package io.llava4j.eval.format;

import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Writes JSON exactly as Python's {@code json.dumps} does by default: {@code ", "} and {@code ": "} between items, and
 * everything outside printable ASCII escaped in lower-case hex, so that files compare equal byte for byte.
 */
public final class PythonJson {
    private PythonJson() {}

    /**
     * Renders a value.
     *
     * @param value null, String, Boolean, Integer, Long, Double, {@link QuestionId}, List or Map with string keys
     * @throws IllegalArgumentException for any other type
     */
    public static String dumps(@Nullable Object value) {
        StringBuilder out = new StringBuilder();
        append(out, value);
        return out.toString();
    }

    /**
     * Writes JSON lines atomically.
     *
     * @param lines values as {@link #dumps} takes them
     */
    public static void writeLines(Path file, Stream<? extends Object> lines) {
        AtomicFiles.write(
                file,
                lines.map(line -> dumps(line) + "\n")
                        .collect(Collectors.joining())
                        .getBytes(StandardCharsets.UTF_8));
    }

    private static void append(StringBuilder out, @Nullable Object value) {
        switch (value) {
            case null -> out.append("null");
            case String text -> quoted(out, text);
            case QuestionId id -> {
                if (id.number()) {
                    out.append(id.value());
                } else {
                    quoted(out, id.value());
                }
            }
            case Boolean b -> out.append(b);
            case Integer i -> out.append(i);
            case Long l -> out.append(l);
            case Double d ->
                out.append(
                        switch (PythonText.repr(d)) {
                            case "nan" -> "NaN";
                            case "inf" -> "Infinity";
                            case "-inf" -> "-Infinity";
                            case String number -> number;
                        });
            case List<?> list -> {
                out.append('[');
                String separator = "";
                for (Object element : list) {
                    out.append(separator);
                    append(out, element);
                    separator = ", ";
                }
                out.append(']');
            }
            case Map<?, ?> map -> {
                out.append('{');
                String separator = "";
                for (Map.Entry<?, ?> entry : map.entrySet()) {
                    out.append(separator);
                    quoted(out, String.valueOf(entry.getKey()));
                    out.append(": ");
                    append(out, entry.getValue());
                    separator = ", ";
                }
                out.append('}');
            }
            default -> throw new IllegalArgumentException("no JSON form for " + value.getClass());
        }
    }

    private static void quoted(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default -> {
                    if (c < ' ' || c > '~') {
                        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
