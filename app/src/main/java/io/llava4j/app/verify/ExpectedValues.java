package io.llava4j.app.verify;

import io.llava4j.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The {@code expected.json} of a benchmark folder, and comparisons of whole tables with it. */
final class ExpectedValues {
    /** Name of the file. */
    static final String FILE = "expected.json";

    private ExpectedValues() {}

    /** Whether the folder has expected values and all of these files. */
    static boolean presentWith(Path dir, String... files) {
        boolean all = Files.isRegularFile(dir.resolve(FILE));
        for (String file : files) {
            all &= Files.exists(dir.resolve(file));
        }
        return all;
    }

    /** @throws DataException if the file is not JSON */
    static JsonNode read(Path dir) {
        try {
            return JsonMapper.builder().build().readTree(dir.resolve(FILE).toFile());
        } catch (JacksonException e) {
            throw new DataException(dir.resolve(FILE) + ": not valid JSON (" + e.getOriginalMessage() + ")", e);
        }
    }

    /**
     * Compares every value of a table, doubles to the last bit.
     *
     * @param actual numbers or strings by key
     * @param expected a JSON object, null where the file has none
     */
    static CaseResult table(String suite, String name, Map<?, ?> actual, @Nullable JsonNode expected) {
        if (expected == null || !expected.isObject()) {
            return CaseResult.skipped(suite, name, "not in " + FILE);
        }
        List<String> wrong = new ArrayList<>();
        if (actual.size() != expected.size()) {
            wrong.add("%d values instead of %d".formatted(actual.size(), expected.size()));
        }
        actual.forEach((key, value) -> {
            JsonNode node = expected.get(key.toString());
            if (node == null || !same(value, node)) {
                wrong.add("%s is %s, expected %s".formatted(key, value, node));
            }
        });
        String counted = "%s (%d)".formatted(name, expected.size());
        String detail = wrong.isEmpty() ? "" : "%d differ: %s".formatted(wrong.size(), wrong.getFirst());
        return CaseResult.exact(suite, counted, wrong.isEmpty(), detail);
    }

    /** Compares one value, doubles to the last bit. */
    static CaseResult value(String suite, String name, Object actual, @Nullable JsonNode expected) {
        if (expected == null) {
            return CaseResult.skipped(suite, name, "not in " + FILE);
        }
        return CaseResult.exact(suite, name, same(actual, expected), actual + ", expected " + expected);
    }

    private static boolean same(@Nullable Object actual, JsonNode expected) {
        if (actual instanceof Number number) {
            return expected.isNumber() && number.doubleValue() == expected.doubleValue();
        }
        return expected.isString() && expected.stringValue().equals(actual);
    }
}
