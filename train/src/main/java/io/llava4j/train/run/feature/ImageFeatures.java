package io.llava4j.train.run.feature;

import io.llava4j.train.data.ImageInput;
import java.util.List;

/**
 * Where the features of images came from.
 *
 * @param images number of images
 * @param cached how many of them a cache had
 * @param damaged files of the cache that were found to be damaged
 */
public record ImageFeatures(int images, int cached, int damaged) {
    /** No images. */
    public static final ImageFeatures NONE = new ImageFeatures(0, 0, 0);

    /** Counts the images. */
    static ImageFeatures of(List<ImageInput> images, int damaged) {
        int cached =
                (int) images.stream().filter(image -> image.features() != null).count();
        return new ImageFeatures(images.size(), cached, damaged);
    }

    /** How many the vision tower computed. */
    public int computed() {
        return images - cached;
    }

    /** The sums of both. */
    public ImageFeatures plus(ImageFeatures other) {
        return new ImageFeatures(images + other.images, cached + other.cached, damaged + other.damaged);
    }
}
