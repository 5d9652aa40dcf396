package io.llava4j.generate.constrain;

import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Inside a string, after its opening quote. Reads UTF-8 and escapes; half a surrogate pair is not allowed.
 *
 * @param matcher what the characters may be
 * @param part where in a character
 * @param value bits of the character that are known: of UTF-8, or of the hexadecimal digits of an escape
 * @param left bytes or digits that are missing
 * @param least smallest character that has as many bytes of UTF-8; of the second half of a pair the first half
 */
record StringState(TextMatcher matcher, Part part, int value, int left, int least) implements JsonState {
    /** Parts of a character. */
    enum Part {
        BEGIN,
        UTF8,
        ESCAPE,
        HEX,
        SECOND_ESCAPE,
        SECOND_U,
        SECOND_HEX
    }

    private static final int HIGH = Character.MIN_HIGH_SURROGATE;
    private static final int LOW = Character.MIN_LOW_SURROGATE;
    private static final int LAST_LOW = Character.MAX_LOW_SURROGATE;

    /** After the opening quote. */
    static StringState open(TextMatcher matcher) {
        return new StringState(matcher, Part.BEGIN, 0, 0, 0);
    }

    @Override
    public void step(int b, Consumer<JsonState> next) {
        JsonState state = switch (part) {
            case BEGIN -> begin(b);
            case UTF8 -> b >> 6 == 0b10 ? utf8(value << 6 | b & 0x3F, left - 1, least) : null;
            case ESCAPE -> escape(b);
            case HEX -> hex(b);
            case SECOND_ESCAPE -> b == '\\' ? new StringState(matcher, Part.SECOND_U, 0, 0, least) : null;
            case SECOND_U -> b == 'u' ? new StringState(matcher, Part.SECOND_HEX, 0, 4, least) : null;
            case SECOND_HEX -> secondHex(b);
        };
        if (state != null) {
            next.accept(state);
        }
    }

    @Override
    public int freeCharacters() {
        return part == Part.BEGIN ? matcher.freeCharacters() : 0;
    }

    private @Nullable JsonState begin(int b) {
        if (b == '"') {
            return matcher.end();
        } else if (b == '\\') {
            return allowsAny(0, Character.MAX_CODE_POINT) ? new StringState(matcher, Part.ESCAPE, 0, 0, 0) : null;
        } else if (b < ' ') {
            return null;
        } else if (b < 0x80) {
            return character(b);
        } else if (b >> 5 == 0b110) {
            return utf8(b & 0x1F, 1, 0x80);
        } else if (b >> 4 == 0b1110) {
            return utf8(b & 0x0F, 2, 0x800);
        }
        return b >> 3 == 0b11110 ? utf8(b & 0x07, 3, Character.MIN_SUPPLEMENTARY_CODE_POINT) : null;
    }

    private @Nullable JsonState utf8(int bits, int missing, int smallest) {
        int from = Math.max(bits << 6 * missing, smallest);
        int to = Math.min((bits + 1 << 6 * missing) - 1, Character.MAX_CODE_POINT);
        if (!allowsAny(from, to)) {
            return null;
        }
        return missing == 0 ? character(bits) : new StringState(matcher, Part.UTF8, bits, missing, smallest);
    }

    private @Nullable JsonState escape(int b) {
        return switch (b) {
            case '"', '\\', '/' -> character(b);
            case 'b' -> character('\b');
            case 'f' -> character('\f');
            case 'n' -> character('\n');
            case 'r' -> character('\r');
            case 't' -> character('\t');
            case 'u' -> new StringState(matcher, Part.HEX, 0, 4, 0);
            default -> null;
        };
    }

    private @Nullable JsonState hex(int b) {
        int digit = Character.digit(b, 16);
        if (digit < 0) {
            return null;
        }
        int bits = value << 4 | digit;
        int from = bits << 4 * (left - 1);
        int to = (bits + 1 << 4 * (left - 1)) - 1;
        if (left > 1) {
            boolean possible = allowsAny(from, to) || allowsPair(Math.max(from, HIGH), Math.min(to, LOW - 1));
            return possible ? new StringState(matcher, Part.HEX, bits, left - 1, 0) : null;
        }
        if (bits >= HIGH && bits < LOW) {
            return allowsPair(bits, bits) ? new StringState(matcher, Part.SECOND_ESCAPE, 0, 0, bits) : null;
        }
        return bits >= LOW && bits <= LAST_LOW ? null : character(bits);
    }

    private @Nullable JsonState secondHex(int b) {
        int digit = Character.digit(b, 16);
        if (digit < 0) {
            return null;
        }
        int bits = value << 4 | digit;
        int from = Math.max(bits << 4 * (left - 1), LOW);
        int to = Math.min((bits + 1 << 4 * (left - 1)) - 1, LAST_LOW);
        if (from > to || !allowsAny(pair(least, from), pair(least, to))) {
            return null;
        }
        return left == 1
                ? character(pair(least, bits))
                : new StringState(matcher, Part.SECOND_HEX, bits, left - 1, least);
    }

    private @Nullable JsonState character(int codePoint) {
        TextMatcher after = matcher.next(codePoint);
        return after == null ? null : open(after);
    }

    /** Whether a character whose pair begins with one of these halves may come. */
    private boolean allowsPair(int from, int to) {
        return from <= to && matcher.allowsAny(pair(from, LOW), pair(to, LAST_LOW));
    }

    private static int pair(int high, int low) {
        return Character.MIN_SUPPLEMENTARY_CODE_POINT + (high - HIGH << 10) + (low - LOW);
    }

    /** Whether a character between two may come; halves of pairs are no characters. */
    private boolean allowsAny(int from, int to) {
        return from <= Math.min(to, HIGH - 1) && matcher.allowsAny(from, Math.min(to, HIGH - 1))
                || Math.max(from, LAST_LOW + 1) <= to && matcher.allowsAny(Math.max(from, LAST_LOW + 1), to);
    }
}
