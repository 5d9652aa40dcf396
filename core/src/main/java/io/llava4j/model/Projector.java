package io.llava4j.model;

import io.llava4j.ConfigException;
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

    /**
     * Reads the projector's tensors.
     *
     * @param config names the {@link ProjectorType}
     * @param weights tensors under {@link ProjectorType#PREFIX}
     * @throws ConfigException if the type is unknown
     */
    public Projector(LlavaConfig config, Weights weights) {
        ProjectorType type = ProjectorType.parse(config.projectorType());
        for (Parameters.Linear layer :
                type.layers(config.vision().hiddenSize(), config.text().hiddenSize())) {
            layers.add(new Linear(weights, layer.prefix()));
        }
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
