package io.llava4j.generate;

import java.util.List;

/**
 * Cuts an answer in front of the first stop text, wherever its pieces are cut: what may be the beginning of a stop text
 * waits until the next piece decides. One serves one answer.
 */
final class StopText {
    private final List<String> stops;
    private String waiting = "";
    private boolean reached;

    /** @param stops none of which is empty */
    StopText(List<String> stops) {
        this.stops = stops;
    }

    /** The text that is certain to be part of the answer once {@code piece} has come. */
    String accept(String piece) {
        if (reached) {
            return "";
        }
        String text = waiting + piece;
        int open = text.length() - beginning(text);
        int end = first(text);
        // Another stop text that began earlier may still be coming.
        reached = end >= 0 && end <= open;
        int certain = reached ? end : open;
        waiting = reached ? "" : text.substring(certain);
        return text.substring(0, certain);
    }

    /** Where the first stop text begins, -1 if there is none. */
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

    /** Length of the longest end of {@code text} with which a stop text may begin. */
    private int beginning(String text) {
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

    /** Whether a stop text has come. */
    boolean reached() {
        return reached;
    }

    /** What still waited at the end of the answer. */
    String finish() {
        int end = first(waiting);
        reached |= end >= 0;
        String rest = end >= 0 ? waiting.substring(0, end) : waiting;
        waiting = "";
        return rest;
    }
}
