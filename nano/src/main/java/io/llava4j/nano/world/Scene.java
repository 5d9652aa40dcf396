package io.llava4j.nano.world;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The ground truth of one square image, independent of its size in pixels.
 *
 * @param index number of the scene in its sampler's sequence
 * @param background of the image
 * @param objects in painting order, at least one
 * @param sign a board with a word; null in most scenes
 */
public record Scene(
        long index,
        Background background,
        List<SceneObject> objects,
        @Nullable Sign sign) {
    public Scene {
        objects = List.copyOf(objects);
    }

    /** Number of objects of a category. */
    public int count(String categoryName) {
        int count = 0;
        for (SceneObject object : objects) {
            if (object.category().name().equals(categoryName)) {
                count++;
            }
        }
        return count;
    }

    /** The same scene without its sign. */
    public Scene withoutSign() {
        return new Scene(index, background, objects, null);
    }
}
