package io.llava4j.image.tile;

import io.llava4j.DataException;
import java.util.Arrays;

/**
 * An image as a model reads it.
 *
 * @param pixels normalised, {@code [views, 3, size, size]}
 * @param order of the features that become its tokens
 */
public record PreparedImage(float[] pixels, FeatureOrder order) {
    /**
     * An image of one view, whose features are its tokens.
     *
     * @param pixels normalised, {@code [3, size, size]}
     */
    public static PreparedImage of(float[] pixels) {
        return new PreparedImage(pixels, FeatureOrder.ONE_VIEW);
    }

    /**
     * Checks that its views fit a vision tower.
     *
     * @param size edge of the tower's input
     * @throws DataException if they do not
     */
    public void requireViewsOf(int size) {
        if (pixels.length != order.views() * 3 * size * size) {
            throw new DataException("an image of " + order.views() + " views has " + pixels.length
                    + " values, but the model reads 3 x " + size + " x " + size
                    + " of each; prepare it with the model's own image processor");
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PreparedImage image
                && (pixels == image.pixels || Arrays.equals(pixels, image.pixels))
                && order.equals(image.order);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(pixels) + order.hashCode();
    }
}
