package io.llava4j.eval.mmmu;

import io.llava4j.eval.format.PythonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** Which option an answer means, as MMMU's {@code parse_multi_choice_response} finds it. */
final class ChoiceParsing {
    private static final String MARKS = ",.!?;:'";
    private static final int FEW_WORDS = 5;

    private ChoiceParsing() {}

    /**
     * The letter, or null where the answer names no option and the official code draws one.
     *
     * @param options by letter, in order
     */
    static @Nullable String parse(String answer, Map<String, String> options) {
        String text = answer;
        for (int i = 0; i < MARKS.length(); i++) {
            text = stripMark(text, MARKS.charAt(i));
        }
        String padded = " " + text + " ";
        List<String> letters = List.copyOf(options.keySet());
        List<String> found = containing(padded, letters, "(%s)");
        if (!found.isEmpty()) {
            return last(found, letter -> padded.lastIndexOf("(" + letter + ")"));
        }
        found = containing(padded, letters, "%s ");
        if (found.isEmpty()) {
            found = containing(padded, letters, "%s.");
        }
        if (!found.isEmpty()) {
            // Also letters found with a period are looked for between spaces, as the official code does.
            return last(found, letter -> padded.lastIndexOf(" " + letter + " "));
        }
        if (PythonText.split(padded).size() <= FEW_WORDS) {
            return null;
        }
        String lower = PythonText.lower(padded);
        List<String> byText = letters.stream()
                .filter(letter -> lower.contains(PythonText.lower(options.getOrDefault(letter, ""))))
                .toList();
        return byText.isEmpty()
                ? null
                : last(byText, letter -> lower.lastIndexOf(PythonText.lower(options.getOrDefault(letter, ""))));
    }

    private static List<String> containing(String text, List<String> letters, String form) {
        List<String> found = new ArrayList<>();
        for (String letter : letters) {
            if (text.contains(form.replace("%s", letter))) {
                found.add(letter);
            }
        }
        return found;
    }

    /** The candidate whose place is last; of equal places the first candidate. */
    private static String last(List<String> candidates, ToIntFunction<String> place) {
        String last = candidates.getFirst();
        int at = place.applyAsInt(last);
        for (String candidate : candidates) {
            int other = place.applyAsInt(candidate);
            if (other > at) {
                last = candidate;
                at = other;
            }
        }
        return last;
    }

    private static String stripMark(String text, char mark) {
        int from = 0;
        while (from < text.length() && text.charAt(from) == mark) {
            from++;
        }
        return PythonText.stripTrailing(text.substring(from), mark);
    }
}
