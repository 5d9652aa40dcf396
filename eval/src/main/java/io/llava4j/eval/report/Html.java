package io.llava4j.eval.report;

import java.util.Locale;
import java.util.Optional;

/** Text and numbers as they stand in the page. */
public final class Html {
    private static final String DASH = "<span class=\"none\">–</span>";

    private Html() {}

    /** Escapes text for element content and double-quoted attributes; what XML forbids becomes U+FFFD. */
    public static String escape(String text) {
        StringBuilder out = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> out.append(c < ' ' && c != '\n' && c != '\t' ? '\uFFFD' : c);
            }
        }
        return out.toString();
    }

    /** One decimal place, or a dash. */
    static String percent(Optional<Double> value) {
        return value.map(Html::percent).orElse(DASH);
    }

    /** One decimal place. */
    public static String percent(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }

    /** Groups of three digits. */
    public static String count(long value) {
        return String.format(Locale.ROOT, "%,d", value).replace(',', '\u202F');
    }

    /** Seconds as {@code 11 min 32 s}. */
    static String duration(double seconds) {
        long whole = Math.round(seconds);
        return whole < 60 ? whole + " s" : "%d min %02d s".formatted(whole / 60, whole % 60);
    }
}
