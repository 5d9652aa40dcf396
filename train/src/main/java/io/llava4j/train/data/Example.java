package io.llava4j.train.data;

import io.llava4j.image.tile.PreparedImage;
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

    /** A sample of images that no cache knows. */
    public static Example of(LlavaRecord record, Prompt prompt, List<PreparedImage> images) {
        return new Example(record, prompt, images.stream().map(ImageInput::of).toList());
    }

    /**
     * Tokens of each image.
     *
     * @param perView of one view
     */
    public int[] imageTokens(int perView) {
        return images.stream()
                .mapToInt(image -> image.image().order().tokens(perView))
                .toArray();
    }

    /** The images as they are prepared for the vision tower. */
    public List<PreparedImage> prepared() {
        return images.stream().map(ImageInput::image).toList();
    }
}
