package io.llava4j.eval.format;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Python's own text and rounding rules, which the official scorers rely on and which differ from Java's (docs/reference/evaluation.md#python-text-rules):
 * white space, {@code \d}, {@code lower()}, {@code round()}.
 */
public final class PythonText {
    private static final Pattern FLOAT =
            Pattern.compile("[+-]?(\\d+(_\\d+)*\\.?(\\d+(_\\d+)*)?|\\.\\d+(_\\d+)*)([eE][+-]?\\d+(_\\d+)*)?");

    private static final Pattern FLOAT_WORD = Pattern.compile("([+-]?)((?i:nan|inf|infinity))");

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

    /** {@code text.rstrip(mark)}: every trailing occurrence goes. */
    public static String stripTrailing(String text, char mark) {
        int to = text.length();
        while (to > 0 && text.charAt(to - 1) == mark) {
            to--;
        }
        return text.substring(0, to);
    }

    /**
     * {@code float(text)}: white space around it goes, digits of any script and single underscores between digits are
     * allowed, {@code nan} and {@code inf} are numbers; hexadecimal and Java's suffixes are not.
     *
     * @return empty where Python raises a ValueError
     */
    public static OptionalDouble parseFloat(String text) {
        StringBuilder ascii = new StringBuilder();
        strip(text)
                .codePoints()
                .forEach(c -> ascii.appendCodePoint(isDigit(c) && c > '9' ? '0' + Character.digit(c, 10) : c));
        String number = ascii.toString();
        if (FLOAT.matcher(number).matches()) {
            return OptionalDouble.of(Double.parseDouble(number.replace("_", "")));
        }
        Matcher word = FLOAT_WORD.matcher(number);
        if (!word.matches()) {
            return OptionalDouble.empty();
        }
        if (lower(word.group(2)).equals("nan")) {
            return OptionalDouble.of(Double.NaN);
        }
        return OptionalDouble.of(word.group(1).equals("-") ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY);
    }

    /**
     * {@code round(value, digits)} of a Python float: the exact binary value, correctly rounded, ties to even. NaN and
     * infinities stay what they are.
     *
     * @param digits decimal places
     */
    public static double round(double value, int digits) {
        return Double.isFinite(value)
                ? new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).doubleValue()
                : value;
    }

    /** {@code round} of a numpy float, which scales, rounds and scales back, and so differs in the last place. */
    public static double roundLikeNumpy(double value, int digits) {
        double scale = Math.pow(10, digits);
        return Math.rint(value * scale) / scale;
    }

    /** {@code f"{value:.<digits>f}"}. */
    public static String fixed(double value, int digits) {
        return Double.isFinite(value)
                ? new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString()
                : repr(value);
    }

    /** {@code repr(value)} of a Python float: the shortest digits that give the same number. */
    public static String repr(double value) {
        if (Double.isNaN(value)) {
            return "nan";
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        BigDecimal shortest = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = shortest.precision() - shortest.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            String plain = shortest.toPlainString();
            return plain.contains(".") ? plain : plain + ".0";
        }
        String digits = shortest.unscaledValue().abs().toString();
        return (value < 0 ? "-" : "")
                + digits.charAt(0)
                + (digits.length() > 1 ? "." + digits.substring(1) : "")
                + String.format(Locale.ROOT, "e%s%02d", exponent < 0 ? "-" : "+", Math.abs(exponent));
    }
}
