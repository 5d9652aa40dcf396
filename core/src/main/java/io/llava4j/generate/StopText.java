package io.llava4j.generate;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Ends an answer before its first stop text, however the answer is split into chunks: text that may begin a stop text is
 * held back until the next chunk decides. Each answer has its own.
 */
final class StopText {
    private final List<String> stops;
    private String held = "";
    private @Nullable String matched;

    /** @param stops as {@link GenerationOptions} has checked them */
    StopText(List<String> stops) {
        this.stops = stops;
    }

    /** The text that is certain to be part of the answer once {@code chunk} has come. */
    String accept(String chunk) {
        if (matched()) {
            return "";
        }
        String text = held + chunk;
        int open = text.length() - possibleStart(text);
        int end = first(text);
        // Another stop text that starts earlier may still follow.
        matched = end >= 0 && end <= open ? at(text, end) : null;
        int certain = matched() ? end : open;
        held = matched() ? "" : text.substring(certain);
        return text.substring(0, certain);
    }

    /** Index of the first stop text, -1 if there is none. */
    private int first(String text) {
        int first = -1;
        for (String stop : stops) {
            int at = text.indexOf(stop);
            if (at >= 0 && (first < 0 || at < first)) {
                first = at;
            }
        }
        return first;
    }

    private @Nullable String at(String text, int index) {
        return stops.stream()
                .filter(stop -> text.startsWith(stop, index))
                .findFirst()
                .orElse(null);
    }

    /** Length of the longest end of {@code text} that is the start of a stop text. */
    private int possibleStart(String text) {
        int longest = 0;
        for (String stop : stops) {
            for (int length = Math.min(stop.length() - 1, text.length()); length > longest; length--) {
                if (text.endsWith(stop.substring(0, length))) {
                    longest = length;
                }
            }
        }
        return longest;
    }

    /** Whether a stop text was found. */
    boolean matched() {
        return matched != null;
    }

    /** The stop text that was found; null if none was. */
    @Nullable
    String text() {
        return matched;
    }

    /** What is still held back at the end of the answer. */
    String finish() {
        int end = first(held);
        matched = end >= 0 ? at(held, end) : matched;
        String last = end >= 0 ? held.substring(0, end) : held;
        held = "";
        return last;
    }
}
