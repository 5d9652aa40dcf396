package io.llava4j.nano.text;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * A question with lettered options.
 *
 * @param options two or four, all different
 * @param answer index of the right option
 */
public record Choice(Phrase question, List<Phrase> options, int answer) {
    /** The letter of the right option. */
    public String letter() {
        return Character.toString('A' + answer);
    }

    /** The question and the lettered options in English, one per line. */
    public String lettered() {
        return lettered(Phrase::english);
    }

    /** The question and the lettered options in Chinese, one per line. */
    public String letteredInChinese() {
        return lettered(Phrase::chinese);
    }

    private String lettered(Function<Phrase, String> language) {
        return lettered(language.apply(question), options.stream().map(language).toList());
    }

    /** A question and its lettered options, one per line. */
    public static String lettered(String question, List<String> options) {
        StringBuilder text = new StringBuilder(question);
        for (int i = 0; i < options.size(); i++) {
            text.append('\n').append((char) ('A' + i)).append(". ").append(options.get(i));
        }
        return text.toString();
    }

    /** The options rotated by some positions, as in circular evaluation. */
    public Choice rotated(int by) {
        int count = options.size();
        List<Phrase> moved = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            moved.add(options.get(Math.floorMod(i - by, count)));
        }
        return new Choice(question, moved, (answer + by) % count);
    }
}
