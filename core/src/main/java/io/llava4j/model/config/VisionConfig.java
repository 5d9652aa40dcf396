package io.llava4j.model.config;

import io.llava4j.ConfigException;
import io.llava4j.image.AspectMode;
import io.llava4j.image.ImageProcessor;
import io.llava4j.image.PixelScaling;
import java.util.List;

/**
 * Shape of a CLIP vision tower (docs/reference/model.md#vision-tower).
 *
 * @param hiddenSize width of the hidden states
 * @param intermediateSize width of the MLP
 * @param layers number of transformer blocks in the checkpoint
 * @param heads number of attention heads; divides {@code hiddenSize}
 * @param imageSize edge of the square input in pixels
 * @param patchSize edge of a patch in pixels; divides {@code imageSize}
 * @param layerNormEps epsilon of every LayerNorm
 * @param hiddenAct activation of the MLP: {@code quick_gelu} or {@code gelu}
 * @param stemChannels empty for CLIP's patch convolution; otherwise the channels of a convolutional stem's residual
 *     stages, of which each halves the resolution, so that there are log2 of {@code patchSize}
 * @param scaling how bytes of an image become the tower's input; {@link PixelScaling#CLIP} in LLaVA-1.5
 */
public record VisionConfig(
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int imageSize,
        int patchSize,
        double layerNormEps,
        String hiddenAct,
        List<Integer> stemChannels,
        PixelScaling scaling) {

    /** CLIP ViT-L/14 at 336 pixels, the tower of LLaVA-1.5. */
    public static final VisionConfig CLIP_VIT_L_336 =
            new VisionConfig(1024, 4096, 24, 16, 336, 14, 1e-5, "quick_gelu", List.of());

    /** A tower that reads images as OpenAI's CLIP does. */
    public VisionConfig(
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int imageSize,
            int patchSize,
            double layerNormEps,
            String hiddenAct,
            List<Integer> stemChannels) {
        this(
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                imageSize,
                patchSize,
                layerNormEps,
                hiddenAct,
                stemChannels,
                PixelScaling.CLIP);
    }

    /** Prepares images for this tower. */
    public ImageProcessor imageProcessor(AspectMode mode) {
        return new ImageProcessor(imageSize, mode, scaling);
    }

    /** The same tower with another scaling of its input. */
    public VisionConfig withScaling(PixelScaling scaling) {
        return new VisionConfig(
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                imageSize,
                patchSize,
                layerNormEps,
                hiddenAct,
                stemChannels,
                scaling);
    }

    /** Patches along one edge. */
    public int grid() {
        return imageSize / patchSize;
    }

    /** Patches of one image, without the CLS token. */
    public int patches() {
        return grid() * grid();
    }

    /** Patches of one image, and the CLS token. */
    public int positions() {
        return patches() + 1;
    }

    /**
     * The blocks that run before a hidden state.
     *
     * @param selectLayer its index among the {@code layers + 1} hidden states, negative from the end
     * @throws ConfigException if there is none
     */
    public int blocksBefore(int selectLayer) {
        int before = selectLayer < 0 ? layers + 1 + selectLayer : selectLayer;
        if (before < 0 || before > layers) {
            throw new ConfigException("select-layer " + selectLayer + " is outside the tower's " + (layers + 1)
                    + " hidden states; LLaVA-1.5 uses -2");
        }
        return before;
    }

    /** The same with square inputs of another edge in pixels, a multiple of {@code patchSize}. */
    public VisionConfig withImageSize(int imageSize) {
        return new VisionConfig(
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                imageSize,
                patchSize,
                layerNormEps,
                hiddenAct,
                stemChannels,
                scaling);
    }
}
