package io.llava4j.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Parts of a model that are stored separately from it, and how much of an image it reads.
 *
 * @param visionTower folder of the CLIP model; null for the one that the configuration names
 * @param mmproj GGUF file of tower and projector; null for the one in the same folder
 * @param packed file of the weights in the layout of the CPU kernels, which is written if it is not there; null for none
 * @param visionTokens image features that VisionZip leaves of an image (docs/reference/model.md#visionzip); 0 for all
 */
public record ModelParts(
        @Nullable Path visionTower,
        @Nullable Path mmproj,
        @Nullable Path packed,
        int visionTokens) {
    private static final String PACKED = ".packed";

    /** Nothing but what is found with the model. */
    public static final ModelParts FOUND = new ModelParts(null, null);

    /** Where the packed weights of a model lie: in its folder, or beside the GGUF file that was named. */
    public static Path packedBeside(Path model) {
        return Files.isDirectory(model)
                ? model.resolve("weights" + PACKED)
                : model.resolveSibling(model.getFileName() + PACKED);
    }

    /** Whether a file in a model's folder is one of packed weights, or will be, and so none of the model itself. */
    static boolean isPacked(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(PACKED) || name.contains(PACKED + ".") && name.endsWith(".partial");
    }

    /** Parts without packed weights. */
    public ModelParts(@Nullable Path visionTower, @Nullable Path mmproj) {
        this(visionTower, mmproj, null);
    }

    /** Parts of a model that reads all image features. */
    public ModelParts(@Nullable Path visionTower, @Nullable Path mmproj, @Nullable Path packed) {
        this(visionTower, mmproj, packed, 0);
    }
}
