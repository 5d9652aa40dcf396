package io.llava4j.train.data;

import io.llava4j.image.tile.PreparedImage;
import org.jspecify.annotations.Nullable;

/**
 * An image of a sample, as the network reads it.
 *
 * @param image prepared for the vision tower; without pixels where the features are known
 * @param key of the image in a cache of image features; empty where there is no cache
 * @param features what the vision tower makes of the image's views, as a cache has it; null where the tower must compute it
 */
public record ImageInput(PreparedImage image, String key, byte @Nullable [] features) {
    /** An image that no cache knows. */
    public static ImageInput of(PreparedImage image) {
        return new ImageInput(image, "", null);
    }
}
