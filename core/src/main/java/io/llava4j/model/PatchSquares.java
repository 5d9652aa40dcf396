package io.llava4j.model;

import io.llava4j.model.config.ProjectorType;
import org.bytedeco.pytorch.Tensor;

/** Squares of neighbouring patches that become one image token each (docs/reference/model.md#fewer-image-tokens). */
final class PatchSquares {
    private PatchSquares() {}

    /**
     * What the linear layers of a projector read. Squares go row by row over the image, and patches row by row within a square.
     *
     * @param features of patches, {@code [images, patches, hidden]}
     * @return {@code [images, patches / edge², width]}; the features themselves where the type does not reduce
     */
    static Tensor reduce(Tensor features, ProjectorType type) {
        if (!type.reduces()) {
            return features;
        }
        long images = features.size(0);
        long hidden = features.size(2);
        long edge = type.edge();
        long squares = Math.round(Math.sqrt(features.size(1))) / edge;
        Tensor patches = features.reshape(images, squares, edge, squares, edge, hidden)
                .permute(0, 1, 3, 2, 4, 5)
                .reshape(images, squares * squares, edge * edge, hidden);
        return type.reduction() == ProjectorType.Reduction.AVG_POOL ? patches.mean(2) : patches.flatten(2, 3);
    }
}
