package io.llava4j.eval.score;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * How answers fit the questions.
 *
 * @param brokenLines lines of the answer file that are not JSON
 * @param duplicates ids of repeated answers, once per repetition
 * @param missing questions without an answer
 * @param unknown answers without a question
 */
public record Coverage(int brokenLines, List<Object> duplicates, List<Object> missing, List<Object> unknown) {
    private static final int SHOWN = 5;

    /**
     * Compares ids.
     *
     * @param asked every question
     * @param answered of every answer in file order
     * @param brokenLines lines that could not be read
     */
    public static Coverage of(Collection<?> asked, Collection<?> answered, int brokenLines) {
        List<Object> duplicates = new ArrayList<>();
        Set<Object> unknown = new LinkedHashSet<>();
        for (Object id : answered) {
            if (!unknown.add(id)) {
                duplicates.add(id);
            }
        }
        List<Object> missing = new ArrayList<>();
        Set<Object> seen = new HashSet<>();
        for (Object id : asked) {
            if (!unknown.remove(id) && !seen.contains(id)) {
                missing.add(id);
            }
            seen.add(id);
        }
        return new Coverage(brokenLines, duplicates, missing, List.copyOf(unknown));
    }

    /**
     * A sentence for each kind that occurs.
     *
     * @param ofMissing what happens to questions without an answer
     */
    public List<String> warnings(String ofMissing) {
        List<String> warnings = new ArrayList<>();
        if (brokenLines > 0) {
            warnings.add(brokenLines + " lines are not JSON and were left out");
        }
        warn(warnings, duplicates, "answers were replaced by a later one to the same question");
        warn(warnings, missing, "questions have no answer and " + ofMissing);
        warn(warnings, unknown, "answers belong to no question");
        return warnings;
    }

    private static void warn(List<String> warnings, List<Object> ids, String what) {
        if (!ids.isEmpty()) {
            String some = ids.stream().limit(SHOWN).map(Object::toString).collect(Collectors.joining(", "));
            warnings.add("%d %s (%s%s)".formatted(ids.size(), what, some, ids.size() > SHOWN ? ", …" : ""));
        }
    }
}
