package io.llava4j.model;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** The image encoder in front of the projector. {@link #of} is the one place that knows which towers there are. */
public interface VisionTower extends AutoCloseable {
    /** The tower that a configuration describes, on tensors by canonical name. */
    static VisionTower of(LlavaConfig config, Weights weights) {
        return new ClipVisionTower(
                config.vision(), weights, config.featureStates().states(), config.keepCls(), config.visionTokens());
    }

    /**
     * Image features, as the projector reads them.
     *
     * @param pixels normalised, {@code [images, 3, imageSize, imageSize]}
     * @return {@code [images, tokensPerImage, featureWidth]}
     */
    default Tensor features(Tensor pixels) {
        List<Tensor> features = new ArrayList<>();
        Tensor input = embed(pixels);
        Tensor states = input;
        for (int block = 0; block < blocks(); block++) {
            if (featureStates().contains(block)) {
                features.add(select(states));
            }
            input = states;
            states = forward(block, states);
        }
        features.add(keep(input, states));
        return Tensors.cat(2, features.toArray(Tensor[]::new));
    }

    /** What the first block reads: {@code [images, 3, imageSize, imageSize] -> [images, positions, hidden]}. */
    Tensor embed(Tensor pixels);

    /** Blocks that the features go through. */
    default int blocks() {
        return featureStates().getLast();
    }

    /** The hidden states that the features consist of, in ascending order: 0 is what the first block reads, k what block k gives. */
    List<Integer> featureStates();

    /** One block: {@code [images, positions, hidden]} in and out. */
    Tensor forward(int block, Tensor states);

    /** The features among the positions of a hidden state: {@code -> [images, tokensPerImage, hidden]}. */
    Tensor select(Tensor states);

    /**
     * The features after the last block: all, or those that VisionZip leaves.
     *
     * @param input what the block reads, {@code [images, positions, hidden]}
     * @param states what it gives
     * @return {@code [images, tokensPerImage, hidden]}
     */
    Tensor keep(Tensor input, Tensor states);

    /** Features of one image. */
    int tokensPerImage();

    /** Width of a feature: that of the hidden states, times their number. */
    int featureWidth();

    /** Edge of the square input in pixels. */
    int imageSize();

    /** Whether the tower's tensors want gradients; both stages of LLaVA-1.5 freeze it. */
    boolean isTrainable();

    /** Frees what is not among the network's {@link Weights}. */
    @Override
    default void close() {}
}
