package io.llava4j.nano.pretrain;

import io.llava4j.model.config.VisionConfig;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import java.util.List;

/**
 * Shape of a vision tower that starts from random weights, see {@link VisionConfig}.
 *
 * @param hiddenSize width of the hidden states
 * @param intermediateSize width of the MLP
 * @param layers number of blocks
 * @param heads attention heads; divides {@code hidden-size}
 * @param imageSize edge of the square input in pixels
 * @param patchSize edge of a patch in pixels; divides {@code image-size}
 * @param stemChannels channels of the residual stages of the patch embedding; empty for CLIP's patch convolution
 */
public record VisionShape(
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int imageSize,
        int patchSize,
        @Default("[]") List<Integer> stemChannels) {

    /** @throws io.llava4j.ConfigException if the sizes do not fit each other */
    public VisionShape {
        Require.positive("hidden-size", hiddenSize);
        Require.positive("intermediate-size", intermediateSize);
        Require.positive("layers", layers);
        Require.positive("heads", heads);
        Require.positive("image-size", imageSize);
        Require.positive("patch-size", patchSize);
        Require.divides("heads", heads, "hidden-size", hiddenSize);
        Require.divides("patch-size", patchSize, "image-size", imageSize);
        stemChannels = List.copyOf(stemChannels);
        stemChannels.forEach(channels -> Require.positive("stem-channels", channels));
        Require.that(
                stemChannels.isEmpty() || (stemChannels.size() < 31 && 1 << stemChannels.size() == patchSize),
                "stem-channels has %d stages, each of which halves the image, but patch-size is %d; they must agree (3 stages for 8)"
                        .formatted(stemChannels.size(), patchSize));
    }

    /** The tower of this shape, with CLIP's activation and epsilon. */
    public VisionConfig toConfig() {
        return new VisionConfig(
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                imageSize,
                patchSize,
                VisionConfig.CLIP_VIT_L_336.layerNormEps(),
                VisionConfig.CLIP_VIT_L_336.hiddenAct(),
                stemChannels);
    }
}
