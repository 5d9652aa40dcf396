package io.llava4j.text;

import java.io.Serializable;

/**
 * One message of a conversation.
 *
 * @param role who speaks
 * @param text what is said; {@value #IMAGE_PLACEHOLDER} stands where an image belongs
 */
public record Turn(Role role, String text) implements Serializable {
    /** The literal that marks an image's place in a turn. */
    public static final String IMAGE_PLACEHOLDER = "<image>";

    /** A turn of the user's. */
    public static Turn human(String text) {
        return new Turn(Role.HUMAN, text);
    }

    /** A turn of the model's. */
    public static Turn assistant(String text) {
        return new Turn(Role.ASSISTANT, text);
    }
}
