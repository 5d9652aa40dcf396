package io.llava4j.train.data;

import io.llava4j.text.Prompt;
import org.jspecify.annotations.Nullable;

/**
 * A sample, ready for the network.
 *
 * @param record where it comes from
 * @param prompt token ids and labels
 * @param pixels of the image, {@code [3, size, size]}; null for text only
 */
public record Example(LlavaRecord record, Prompt prompt, float @Nullable [] pixels) {}
