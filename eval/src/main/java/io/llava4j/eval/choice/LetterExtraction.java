package io.llava4j.eval.choice;

import io.llava4j.eval.format.PythonText;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which letter an answer means, as lmms-eval finds it since April 2026 ({@code tasks/_task_utils/mcq_extract.py}, commit 75571cfe): every
 * place where a letter could stand is a candidate, the kind of place that says most wins, and of several the last.
 */
final class LetterExtraction {
    private static final List<String> LETTERS = List.of("A", "B", "C", "D");

    /** Marks that are removed from both ends, one kind after the other. */
    private static final String MARKS = ",.!?;:'\"";

    private static final List<String> PHRASES = List.of(
            "the answer is",
            "answer is",
            "the correct answer is",
            "correct answer is",
            "the best answer is",
            "best answer is",
            "the correct option is",
            "correct option is",
            "the best option is",
            "best option is",
            "the choice is",
            "choice is",
            "the correct choice is",
            "correct choice is",
            "i choose",
            "i select",
            "i pick",
            "my answer is",
            "my choice is",
            "\uc635\uc158",
            "\uc815\ub2f5\uc740",
            "\ub2f5\uc740",
            "\ub2f5:",
            "\u7b54\u6848\u662f",
            "\u7b54\u6848\u4e3a",
            "\u9009",
            "\u7b54\u3048\u306f");

    private static final int START = 10;
    private static final int END = 9;
    private static final int PHRASE = 7;
    private static final int PARENTHESES = 6;
    private static final int PERIOD = 5;
    private static final int COLON = 4;
    private static final int RIGHT_PARENTHESIS = 3;
    private static final int SPACE = 2;

    private @Nullable String best;
    private int priority = -1;
    private int position;

    private LetterExtraction() {}

    /** One of A to D; empty if the answer names none. */
    static String extract(String answer) {
        String text = PythonText.strip(answer);
        for (int i = 0; i < MARKS.length(); i++) {
            text = stripMark(text, MARKS.charAt(i));
        }
        LetterExtraction search = new LetterExtraction();
        search.scan(" " + text + " ");
        return search.best == null ? "" : search.best;
    }

    private void scan(String text) {
        for (String letter : LETTERS) {
            last(text, letter, "(" + letter + ")", PARENTHESES);
            last(text, letter, letter + ".", PERIOD);
            last(text, letter, letter + ":", COLON);
            last(text, letter, letter + ")", RIGHT_PARENTHESIS);
            last(text, letter, letter + " ", SPACE);
        }
        String lower = PythonText.lower(text);
        for (String phrase : PHRASES) {
            int at = lower.indexOf(phrase);
            if (at >= 0) {
                for (String letter : LETTERS) {
                    offer(letter, text.indexOf(letter, at + phrase.length()), PHRASE);
                }
            }
        }
        String stripped = PythonText.strip(text);
        for (String letter : LETTERS) {
            if (stripped.startsWith(letter)
                    && (stripped.length() == 1 || !Character.isLetter(stripped.codePointAt(1)))) {
                offer(letter, 0, START);
            }
            if (stripped.endsWith(letter)
                    && (stripped.length() == 1
                            || !Character.isLetter(stripped.codePointBefore(stripped.length() - 1)))) {
                offer(letter, 0, END);
            }
        }
        if (best == null) {
            LETTERS.forEach(letter -> last(text, letter, letter, 0));
        }
    }

    private void last(String text, String letter, String form, int kind) {
        offer(letter, text.lastIndexOf(form), kind);
    }

    /** Of equal candidates the first stays. */
    private void offer(String letter, int at, int kind) {
        if (at >= 0 && (kind > priority || (kind == priority && at > position))) {
            best = letter;
            priority = kind;
            position = at;
        }
    }

    private static String stripMark(String text, char mark) {
        int from = 0;
        while (from < text.length() && text.charAt(from) == mark) {
            from++;
        }
        return PythonText.stripTrailing(text.substring(from), mark);
    }
}
