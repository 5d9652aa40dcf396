package io.llava4j.text;

import java.util.BitSet;

/** A text with a mark at every supervised character. */
final class RenderedText {
    private final StringBuilder text = new StringBuilder();
    private final BitSet supervised = new BitSet();

    void append(String part, boolean isSupervised) {
        supervised.set(text.length(), text.length() + part.length(), isSupervised);
        text.append(part);
    }

    String text() {
        return text.toString();
    }

    boolean isSupervised(int at) {
        return supervised.get(at);
    }
}
