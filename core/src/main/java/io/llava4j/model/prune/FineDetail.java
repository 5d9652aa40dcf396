package io.llava4j.model.prune;

import java.util.regex.Pattern;

/** Questions whose answers stand in a few patches, so that they suffer where image tokens are pruned. */
public final class FineDetail {
    private static final Pattern ASKED = Pattern.compile(
            "\\bbounding box|\\bbbox|\\bcoordinates?\\b|\\[\\s*[01]?\\.\\d+\\s*,"
                    + "|\\b(this|the|which|what) region\\b|\\bOCR\\b|\\btranscribe\\b"
                    + "|\\bread\\b.{0,40}\\b(text|words?|letters?|sign|label|numbers?)\\b"
                    + "|\\bwhat\\b.{0,60}\\b(text|written|words? (is|are)|says?|brand|title|licen[cs]e plate)\\b"
                    + "|\\bdoes\\b.{0,60}\\bsay\\b",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    private FineDetail() {}

    /** Whether a question asks for regions of the image or for text in it, by its English words or its coordinates. */
    public static boolean isAskedFor(String question) {
        return ASKED.matcher(question).find();
    }
}
