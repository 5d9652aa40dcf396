package io.llava4j.text;

/** Where {@code <image>} goes in a turn of the training data (docs/reference/conversation.md#image-placement). */
public final class ImagePlacement {
    private ImagePlacement() {}

    /**
     * A turn with its image put first: all placeholders are removed, the rest is trimmed, and one placeholder and a
     * newline are put before it, as the reference does. A text without placeholder is left alone. So a turn keeps one
     * image however many it names: count them before if that matters.
     */
    public static String imageFirst(String text) {
        if (!text.contains(Turn.IMAGE_PLACEHOLDER)) {
            return text;
        }
        return strip(Turn.IMAGE_PLACEHOLDER + "\n" + strip(text.replace(Turn.IMAGE_PLACEHOLDER, "")));
    }

    /** Trims what Python's {@code str.strip} trims. */
    private static String strip(String text) {
        int begin = 0;
        int end = text.length();
        while (begin < end && isSpace(text.charAt(begin))) {
            begin++;
        }
        while (end > begin && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(begin, end);
    }

    // Java's isWhitespace leaves out the no-break spaces and NEL; isSpaceChar leaves out the control characters.
    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }
}
