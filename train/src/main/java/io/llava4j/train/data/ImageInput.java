package io.llava4j.train.data;

import org.jspecify.annotations.Nullable;

/**
 * An image of a sample, as the network reads it.
 *
 * @param pixels normalised, {@code [3, size, size]}; empty where the features are known
 * @param key of the image in a cache of image features; empty where there is no cache
 * @param features what the vision tower makes of the image, as a cache has it; null where the tower must compute it
 */
public record ImageInput(float[] pixels, String key, byte @Nullable [] features) {
    /** An image that no cache knows. */
    public static ImageInput of(float[] pixels) {
        return new ImageInput(pixels, "", null);
    }
}
