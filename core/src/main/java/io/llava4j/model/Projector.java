package io.llava4j.model;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The projector between vision tower and language model (docs/reference/model.md#projector): linear layers with
 * exact-erf GELUs between them, or none at all.
 */
public final class Projector {
    private final List<Linear> layers = new ArrayList<>();

    /** Reads the tensors of a projector of that type and those widths. */
    public Projector(ProjectorType type, int visionHidden, int textHidden, Weights weights) {
        for (Parameters.Linear layer : type.layers(visionHidden, textHidden)) {
            layers.add(new Linear(weights, layer.prefix()));
        }
    }

    /** The projector that a configuration describes. */
    public static Projector of(LlavaConfig config, Weights weights) {
        return new Projector(
                ProjectorType.parse(config.projectorType()),
                config.vision().hiddenSize(),
                config.text().hiddenSize(),
                weights);
    }

    /** Image features to image tokens: {@code [images, tokens, vision hidden] -> [images, tokens, text hidden]}. */
    public Tensor forward(Tensor features) {
        Tensor x = features;
        for (int i = 0; i < layers.size(); i++) {
            x = layers.get(i).forward(i == 0 ? x : torch.gelu(x));
        }
        return x;
    }
}
