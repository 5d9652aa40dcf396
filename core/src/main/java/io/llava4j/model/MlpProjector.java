package io.llava4j.model;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** The projector on the tensor engine, which can be trained: what joins patches, if its type does, then linear layers. */
final class MlpProjector implements Projector {
    private final ProjectorType type;
    private final @Nullable TokenPacker packer;
    private final List<Linear> layers = new ArrayList<>();
    private final @Nullable Tensor rowEnd;

    MlpProjector(LlavaConfig config, Weights weights) {
        type = ProjectorType.parse(config.projectorType());
        packer = type.reduction() == ProjectorType.Reduction.TOKEN_PACKER
                ? new TokenPacker(config, type.edge(), weights)
                : null;
        for (Parameters.Linear layer :
                type.layers(config.vision().hiddenSize(), config.text().hiddenSize())) {
            layers.add(new Linear(weights, layer.prefix()));
        }
        rowEnd = config.hasRowEnd() ? weights.get(ProjectorType.ROW_END) : null;
    }

    @Override
    public Tensor forward(Tensor features) {
        Tensor x = packer == null ? joined(features) : packer.forward(features);
        for (int i = 0; i < layers.size(); i++) {
            x = layers.get(i).forward(i == 0 ? x : torch.gelu(x));
        }
        return x;
    }

    private Tensor joined(Tensor features) {
        return switch (type.reduction()) {
            case AVG_POOL -> squares(features, type.edge()).mean(2);
            case PIXEL_SHUFFLE -> squares(features, type.edge()).flatten(2, 3);
            case NONE, TOKEN_PACKER -> features;
        };
    }

    /**
     * Patches by the squares that become one image token each (docs/reference/model.md#fewer-image-tokens): squares row by row
     * over the image, patches row by row within a square.
     *
     * @param features of patches, {@code [images, patches, hidden]}
     * @param edge of a square in patches
     * @return {@code [images, patches / edge², edge², hidden]}
     */
    static Tensor squares(Tensor features, long edge) {
        long images = features.size(0);
        long hidden = features.size(2);
        long squares = Math.round(Math.sqrt(features.size(1))) / edge;
        return features.reshape(images, squares, edge, squares, edge, hidden)
                .permute(0, 1, 3, 2, 4, 5)
                .reshape(images, squares * squares, edge * edge, hidden);
    }

    @Override
    public Tensor rowEnd() {
        if (rowEnd == null) {
            throw new IllegalStateException("the model has no row-end token");
        }
        return rowEnd;
    }
}
