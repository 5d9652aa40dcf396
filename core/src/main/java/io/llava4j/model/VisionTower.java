package io.llava4j.model;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;

/** The image encoder in front of the projector. {@link #of} is the one place that knows which towers there are. */
public interface VisionTower extends AutoCloseable {
    /** The tower that a configuration describes, on tensors by canonical name. */
    static VisionTower of(LlavaConfig config, Weights weights) {
        return new ClipVisionTower(config.vision(), weights, config.selectLayer(), config.keepCls());
    }

    /**
     * Image features, as the projector reads them.
     *
     * @param pixels normalised, {@code [images, 3, imageSize, imageSize]}
     * @return {@code [images, tokensPerImage, hiddenSize]}
     */
    default Tensor features(Tensor pixels) {
        Tensor states = embed(pixels);
        for (int block = 0; block < blocks(); block++) {
            states = forward(block, states);
        }
        return select(states);
    }

    /** What the first block reads: {@code [images, 3, imageSize, imageSize] -> [images, positions, hiddenSize]}. */
    Tensor embed(Tensor pixels);

    /** Blocks that the features go through. */
    int blocks();

    /** One block: {@code [images, positions, hiddenSize]} in and out. */
    Tensor forward(int block, Tensor states);

    /** The features among the states after the last block: {@code -> [images, tokensPerImage, hiddenSize]}. */
    Tensor select(Tensor states);

    /** Features of one image. */
    int tokensPerImage();

    /** Width of a feature. */
    int hiddenSize();

    /** Edge of the square input in pixels. */
    int imageSize();

    /** Whether the tower's tensors want gradients; both stages of LLaVA-1.5 freeze it. */
    boolean isTrainable();

    /** Frees what is not among the network's {@link Weights}. */
    @Override
    default void close() {}
}
