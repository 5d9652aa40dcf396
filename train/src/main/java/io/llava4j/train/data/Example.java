package io.llava4j.train.data;

import io.llava4j.text.Prompt;
import java.util.List;

/**
 * A sample, ready for the network.
 *
 * @param record where it comes from
 * @param prompt token ids and labels
 * @param pixels {@code [3, size, size]} of each of the record's images, in their order; empty for text only
 */
public record Example(LlavaRecord record, Prompt prompt, List<float[]> pixels) {
    public Example {
        pixels = List.copyOf(pixels);
    }
}
