package io.llava4j.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The units that a vocabulary is trained on, with the count of each: words, runs of punctuation and single digits, each
 * with the space before it. No piece crosses their boundaries.
 */
final class TrainingUnits {
    /** Longer runs are split, which bounds the work that a hostile text can cause. */
    private static final int MAX_UNIT_CHARACTERS = 32;

    private enum Kind {
        SPACE,
        WORD,
        DIGIT,
        OTHER,
        NEWLINE
    }

    private final Map<String, Long> counts = new TreeMap<>();

    /** Counts the units of one text, read as the tokenizer reads it: with a space before its first word. */
    void add(String text) {
        if (text.isEmpty()) {
            return;
        }
        StringBuilder unit = new StringBuilder().append(BpeMerger.SPACE);
        Kind kind = Kind.SPACE;
        int characters = 1;
        for (int i = 0; i < text.length(); ) {
            int codePoint = text.codePointAt(i);
            i += Character.charCount(codePoint);
            Kind next = kindOf(codePoint);
            boolean joins = (next == Kind.WORD || next == Kind.OTHER)
                    && (next == kind || kind == Kind.SPACE)
                    && characters < MAX_UNIT_CHARACTERS;
            if (!joins) {
                count(unit);
                characters = 0;
            }
            kind = next;
            // A newline stays a byte piece, as in LLaMA's vocabulary.
            if (next != Kind.NEWLINE) {
                unit.appendCodePoint(SentencePieceTokenizer.normalised(codePoint));
                characters++;
            }
        }
        count(unit);
    }

    /** Units with their counts in the order of their text, so that training does not depend on hashing. */
    List<Map.Entry<String, Long>> entries() {
        return new ArrayList<>(counts.entrySet());
    }

    private void count(StringBuilder unit) {
        if (!unit.isEmpty()) {
            counts.merge(unit.toString(), 1L, Long::sum);
            unit.setLength(0);
        }
    }

    private static Kind kindOf(int codePoint) {
        if (codePoint == ' ' || codePoint == BpeMerger.SPACE) {
            return Kind.SPACE;
        }
        if (codePoint == '\n') {
            return Kind.NEWLINE;
        }
        return switch (Character.getType(codePoint)) {
            case Character.DECIMAL_DIGIT_NUMBER -> Kind.DIGIT;
            case Character.UPPERCASE_LETTER,
                    Character.LOWERCASE_LETTER,
                    Character.TITLECASE_LETTER,
                    Character.MODIFIER_LETTER,
                    Character.OTHER_LETTER,
                    Character.NON_SPACING_MARK,
                    Character.COMBINING_SPACING_MARK,
                    Character.ENCLOSING_MARK -> Kind.WORD;
            default -> Kind.OTHER;
        };
    }
}
