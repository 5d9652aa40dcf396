package io.llava4j.eval.format;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Python's own text and rounding rules, which the official scorers rely on and which differ from Java's (benchmark notes
 * 0.3): white space, {@code \d}, {@code lower()}, {@code round()}.
 */
public final class PythonText {
    private PythonText() {}

    /** Whether {@code str.split()} and {@code str.strip()} treat the character as white space. */
    public static boolean isSpace(int c) {
        return (c >= '\t' && c <= '\r')
                || (c >= 0x1C && c <= 0x20)
                || c == 0x85
                || c == 0xA0
                || c == 0x1680
                || (c >= 0x2000 && c <= 0x200A)
                || c == 0x2028
                || c == 0x2029
                || c == 0x202F
                || c == 0x205F
                || c == 0x3000;
    }

    /** Whether {@code \d} matches: any Unicode decimal digit. */
    public static boolean isDigit(int codePoint) {
        return Character.getType(codePoint) == Character.DECIMAL_DIGIT_NUMBER;
    }

    /** {@code text.strip()}. */
    public static String strip(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isSpace(text.charAt(from))) {
            from++;
        }
        while (to > from && isSpace(text.charAt(to - 1))) {
            to--;
        }
        return text.substring(from, to);
    }

    /** {@code text.split()}: words between runs of white space, never empty. */
    public static List<String> split(String text) {
        List<String> words = new ArrayList<>();
        int start = -1;
        for (int i = 0; i < text.length(); i++) {
            if (!isSpace(text.charAt(i))) {
                start = start < 0 ? i : start;
            } else if (start >= 0) {
                words.add(text.substring(start, i));
                start = -1;
            }
        }
        if (start >= 0) {
            words.add(text.substring(start));
        }
        return words;
    }

    /** {@code text.split(' ')}: pieces between single ASCII spaces; empty pieces are kept. */
    public static List<String> splitAtSpaces(String text) {
        return List.of(text.split(" ", -1));
    }

    /** {@code text.lower()}. */
    public static String lower(String text) {
        return text.toLowerCase(Locale.ROOT);
    }

    /**
     * {@code round(value, digits)} of a Python float: the exact binary value, correctly rounded, ties to even.
     *
     * @param value finite
     * @param digits decimal places
     */
    public static double round(double value, int digits) {
        return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).doubleValue();
    }
}
