package io.llava4j.checkpoint;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Parts of a model that are stored separately from it.
 *
 * @param visionTower folder of the CLIP model; null for the one that the configuration names
 * @param mmproj GGUF file of tower and projector; null for the one in the same folder
 * @param packed file of the weights in the layout of the CPU kernels, which is written if it is not there; null for none
 */
public record ModelParts(
        @Nullable Path visionTower,
        @Nullable Path mmproj,
        @Nullable Path packed) {
    /** Nothing but what is found with the model. */
    public static final ModelParts FOUND = new ModelParts(null, null);

    /** Parts without packed weights. */
    public ModelParts(@Nullable Path visionTower, @Nullable Path mmproj) {
        this(visionTower, mmproj, null);
    }
}
