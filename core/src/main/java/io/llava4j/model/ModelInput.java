package io.llava4j.model;

import io.llava4j.image.tile.PreparedImage;
import io.llava4j.text.Prompt;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A batch of sequences as the network reads it.
 *
 * @param ids token ids of each sequence, {@link Prompt#IMAGE_TOKEN_INDEX} for an image
 * @param labels a label for each id; null where nothing is trained
 * @param images of the batch; each goes through the vision tower once
 * @param placed for each placeholder of the batch, in order, the index of its image; several may show the same one
 */
public record ModelInput(List<int[]> ids, @Nullable List<int[]> labels, List<PreparedImage> images, int[] placed) {
    /** A batch whose placeholders take the images in order. */
    public static ModelInput of(List<int[]> ids, @Nullable List<int[]> labels, List<PreparedImage> images) {
        int[] placed = new int[images.size()];
        Arrays.setAll(placed, i -> i);
        return new ModelInput(ids, labels, images, placed);
    }
}
