package io.llava4j.app.chat;

import io.llava4j.image.RgbImage;

/**
 * An image of a conversation.
 *
 * @param name as the user named it
 * @param pixels decoded
 */
public record ShownImage(String name, RgbImage pixels) {
    private static final int LONGEST_NAME = 200;

    /** The name, of a data URL its start, and the size. */
    @Override
    public String toString() {
        String shown = name.length() > LONGEST_NAME ? name.substring(0, LONGEST_NAME) + "…" : name;
        return "%s (%d x %d)".formatted(shown, pixels.width(), pixels.height());
    }
}
