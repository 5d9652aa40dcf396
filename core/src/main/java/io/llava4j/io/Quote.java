package io.llava4j.io;

/** Quotes a value of a data file in a message: on one line and never longer than a sentence can bear. */
public final class Quote {
    /** Longest value in characters that is quoted whole. */
    public static final int MAX_CHARACTERS = 80;

    private Quote() {}

    /**
     * The value in quotation marks, without line breaks and other control characters. Of a longer value than
     * {@link #MAX_CHARACTERS}, the beginning and the number of its characters.
     */
    public static String of(String value) {
        String start = value.codePointCount(0, value.length()) <= MAX_CHARACTERS
                ? value
                : value.substring(0, value.offsetByCodePoints(0, MAX_CHARACTERS));
        String shown = start.codePoints()
                .map(c -> Character.isISOControl(c) ? ' ' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        return start.length() == value.length()
                ? "'" + shown + "'"
                : "'%s…' (%,d characters)".formatted(shown, value.codePointCount(0, value.length()));
    }
}
