package io.llava4j.text;

/** Where {@code <image>} goes in a turn of the training data (docs/reference/conversation.md#image-placement). */
public final class ImagePlacement {
    private ImagePlacement() {}

    /**
     * Moves the image of a turn to its start, as the reference does: removes all placeholders, trims the text, and puts
     * one placeholder and a newline in front. A text without a placeholder stays as it is. The result has one placeholder,
     * however many there were.
     */
    public static String imageFirst(String text) {
        if (!text.contains(Turn.IMAGE_PLACEHOLDER)) {
            return text;
        }
        return strip(Turn.IMAGE_PLACEHOLDER + "\n" + strip(text.replace(Turn.IMAGE_PLACEHOLDER, "")));
    }

    /** Trims like Python's {@code str.strip}. */
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

    // Java's isWhitespace excludes the no-break spaces and NEL; isSpaceChar excludes the control characters.
    private static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }
}
