package io.llava4j.text;

import java.io.Serializable;

/**
 * One message of a conversation.
 *
 * @param role who speaks
 * @param text of the message, with {@value #IMAGE_PLACEHOLDER} at the position of each of its images
 */
public record Turn(Role role, String text) implements Serializable {
    /** Marks the position of an image in the text of a turn. */
    public static final String IMAGE_PLACEHOLDER = "<image>";

    /** A message of the user. */
    public static Turn human(String text) {
        return new Turn(Role.HUMAN, text);
    }

    /** A message of the model. */
    public static Turn assistant(String text) {
        return new Turn(Role.ASSISTANT, text);
    }
}
