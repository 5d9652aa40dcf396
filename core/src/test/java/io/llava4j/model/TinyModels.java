package io.llava4j.model;

import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Weights;
import java.util.List;
import java.util.SplittableRandom;

/** Random LLaVA models of a few thousand parameters: 16-pixel images, 4 patches, 24 words, grouped-query attention. */
public final class TinyModels {
    /** Edge of an image in pixels. */
    public static final int EDGE = 16;

    /** Image tokens of an image. */
    public static final int PATCHES = 4;

    /** Longest sequence in tokens. */
    public static final int POSITIONS = 40;

    private TinyModels() {}

    /**
     * Shape of a tiny model.
     *
     * @param maxSequenceLength limit of spliced sequences, 0 for none
     * @param stemChannels empty for CLIP's patch convolution
     */
    public static LlavaConfig config(int maxSequenceLength, List<Integer> stemChannels) {
        VisionConfig vision = new VisionConfig(16, 32, 3, 2, EDGE, 8, 1e-5, "quick_gelu", stemChannels);
        TextConfig text = new TextConfig(16, 24, 2, 4, 2, 24, POSITIONS, 1e-5, 10000, false, 1, 2, 0);
        return new LlavaConfig(vision, text, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, maxSequenceLength);
    }

    /** A model of random weights; the caller closes it. */
    public static LlavaModel of(LlavaConfig config) {
        return Engine.scope("a tiny model", () -> {
            Weights weights = new Weights();
            Initializer initializer = new Initializer(7);
            ExpectedTensors.of(new ModelKind.Llava(config))
                    .shapes()
                    .forEach((name, shape) -> initializer.fill(weights, name, shape));
            return new LlavaModel(config, weights);
        });
    }

    /** A normalised image of noise. */
    public static PreparedImage image(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] pixels = new float[3 * EDGE * EDGE];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) (4 * random.nextDouble() - 2);
        }
        return PreparedImage.of(pixels);
    }
}
