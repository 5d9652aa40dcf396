package io.llava4j.eval.choice;

import java.util.List;

/** Lettered options. */
final class Options {
    private Options() {}

    /** The question and a line {@code A. option} for each option. */
    static String lettered(String question, List<String> options) {
        StringBuilder text = new StringBuilder(question);
        for (int i = 0; i < options.size(); i++) {
            text.append('\n').append((char) ('A' + i)).append(". ").append(options.get(i));
        }
        return text.toString();
    }
}
