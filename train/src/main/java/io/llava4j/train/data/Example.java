package io.llava4j.train.data;

import io.llava4j.text.Prompt;
import java.util.List;

/**
 * A sample, ready for the network.
 *
 * @param record where it comes from
 * @param prompt token ids and labels
 * @param images the record's images, in their order; empty for text only
 */
public record Example(LlavaRecord record, Prompt prompt, List<ImageInput> images) {
    public Example {
        images = List.copyOf(images);
    }

    /** A sample of images that no cache knows, given their pixels. */
    public static Example of(LlavaRecord record, Prompt prompt, List<float[]> pixels) {
        return new Example(record, prompt, pixels.stream().map(ImageInput::of).toList());
    }

    /** {@code [3, size, size]} of each of the images; empty where the features are known. */
    public List<float[]> pixels() {
        return images.stream().map(ImageInput::pixels).toList();
    }
}
