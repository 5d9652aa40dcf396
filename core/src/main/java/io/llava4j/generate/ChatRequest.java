package io.llava4j.generate;

import io.llava4j.image.RgbImage;
import io.llava4j.text.Turn;
import java.util.List;

/**
 * One thing to answer.
 *
 * @param turns the conversation so far; ends with a human turn, which holds {@code <image>} where an image belongs
 * @param images decoded images in the order of their placeholders
 */
public record ChatRequest(List<Turn> turns, List<RgbImage> images) {}
