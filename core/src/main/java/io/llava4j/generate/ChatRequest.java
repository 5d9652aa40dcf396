package io.llava4j.generate;

import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.util.List;

/**
 * A conversation that the model is to continue.
 *
 * @param turns the conversation so far; ends with a human turn, which contains {@code <image>} where an image belongs
 * @param images decoded images in the order of their placeholders
 */
public record ChatRequest(List<Turn> turns, List<RgbImage> images) {}
