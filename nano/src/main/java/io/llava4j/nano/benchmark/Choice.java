package io.llava4j.nano.benchmark;

import io.llava4j.nano.text.Phrase;
import java.util.ArrayList;
import java.util.List;

/**
 * A question with lettered options.
 *
 * @param options two or four, all different
 * @param answer index of the right option
 */
record Choice(Phrase question, List<Phrase> options, int answer) {
    /** The letter of the right option. */
    String letter() {
        return Character.toString('A' + answer);
    }

    /** The question and the lettered options in English, one per line. */
    String lettered() {
        StringBuilder text = new StringBuilder(question.english());
        for (int i = 0; i < options.size(); i++) {
            text.append('\n')
                    .append((char) ('A' + i))
                    .append(". ")
                    .append(options.get(i).english());
        }
        return text.toString();
    }

    /** The options rotated by some positions, as in circular evaluation. */
    Choice rotated(int by) {
        int count = options.size();
        List<Phrase> moved = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            moved.add(options.get(Math.floorMod(i - by, count)));
        }
        return new Choice(question, moved, (answer + by) % count);
    }
}
