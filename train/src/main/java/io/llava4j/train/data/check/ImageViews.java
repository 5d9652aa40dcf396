package io.llava4j.train.data.check;

import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.format.Images;
import java.util.Map;

/**
 * How a model sees images.
 *
 * @param preparation of an image
 * @param orientation what becomes of orientation tags
 * @param tokensPerView image tokens of one view
 */
public record ImageViews(ImagePreparation preparation, ExifOrientation orientation, int tokensPerView) {
    /**
     * Of one image.
     *
     * @param views squares that the vision tower reads
     * @param tokens image tokens
     */
    public record Count(int views, int tokens) {}

    /** An image that is not tiled, or of which nothing is known. */
    Count one() {
        return new Count(1, tokensPerView);
    }

    /**
     * Counts an image.
     *
     * @param name of the image
     * @param source of the images
     * @param decoded the image without regard to its orientation tag
     */
    Count count(String name, Images source, RgbImage decoded) {
        RgbImage seen = orientation == ExifOrientation.IGNORE ? decoded : source.decode(name, orientation);
        FeatureOrder order = preparation.order(new ImageSize(seen.width(), seen.height()));
        return new Count(order.views(), order.tokens(tokensPerView));
    }

    /** Tokens of the images of a record; those that are not among {@code known} count as not tiled. */
    int[] tokens(LlavaRecord record, Map<String, Count> known) {
        return record.images().stream()
                .mapToInt(image -> known.getOrDefault(image, one()).tokens())
                .toArray();
    }
}
