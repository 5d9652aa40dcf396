package io.llava4j.generate;

import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.util.List;

/**
 * A conversation that the model is to continue.
 *
 * @param system takes the place of the template's system prompt; empty to keep that
 * @param turns the conversation so far; ends with a human turn, which contains {@code <image>} where an image belongs
 * @param images decoded images in the order of their placeholders
 */
public record ChatRequest(String system, List<Turn> turns, List<RgbImage> images) {
    /** A conversation with the template's own system prompt. */
    public ChatRequest(List<Turn> turns, List<RgbImage> images) {
        this("", turns, images);
    }
}
