package io.llava4j.nano.world;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The exact truth about one square image, independent of the size it is drawn at.
 *
 * @param index number of the scene in its sampler's sequence
 * @param background what lies behind everything
 * @param objects in painting order, at least one
 * @param sign a board with a word; null in most scenes
 */
public record Scene(
        long index,
        Background background,
        List<SceneObject> objects,
        @Nullable Sign sign) {
    /** Copies the list. */
    public Scene {
        objects = List.copyOf(objects);
    }

    /** How many objects are of a category. */
    public int count(String categoryName) {
        int count = 0;
        for (SceneObject object : objects) {
            if (object.category().name().equals(categoryName)) {
                count++;
            }
        }
        return count;
    }
}
