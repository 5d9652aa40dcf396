package io.llava4j.model;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;

/**
 * The projector between vision tower and language model (docs/reference/model.md#projector): linear layers with
 * exact-erf GELUs between them, or none at all; before them some types join squares of patches. Tiled images have a row-end token beside their projected features.
 */
public interface Projector extends AutoCloseable {
    /** The projector that a configuration describes, on tensors by canonical name. */
    static Projector of(LlavaConfig config, Weights weights) {
        return new MlpProjector(config, weights);
    }

    /** Image features to image tokens: {@code [images, features, feature width] -> [images, tokens, text hidden]}. */
    Tensor forward(Tensor features);

    /**
     * The row-end token of tiled images: {@code [text hidden]}.
     *
     * @throws IllegalStateException if the model has none
     */
    Tensor rowEnd();

    /** Frees what is not among the network's {@link Weights}. */
    @Override
    default void close() {}
}
