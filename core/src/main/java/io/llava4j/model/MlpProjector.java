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

/** The projector on the tensor engine, which can be trained. */
final class MlpProjector implements Projector {
    private final ProjectorType type;
    private final List<Linear> layers = new ArrayList<>();
    private final @Nullable Tensor rowEnd;

    MlpProjector(LlavaConfig config, Weights weights) {
        type = ProjectorType.parse(config.projectorType());
        for (Parameters.Linear layer :
                type.layers(config.vision().hiddenSize(), config.text().hiddenSize())) {
            layers.add(new Linear(weights, layer.prefix()));
        }
        rowEnd = config.hasRowEnd() ? weights.get(ProjectorType.ROW_END) : null;
    }

    @Override
    public Tensor forward(Tensor features) {
        Tensor x = PatchSquares.reduce(features, type);
        for (int i = 0; i < layers.size(); i++) {
            x = layers.get(i).forward(i == 0 ? x : torch.gelu(x));
        }
        return x;
    }

    @Override
    public Tensor rowEnd() {
        if (rowEnd == null) {
            throw new IllegalStateException("the model has no row-end token");
        }
        return rowEnd;
    }
}
