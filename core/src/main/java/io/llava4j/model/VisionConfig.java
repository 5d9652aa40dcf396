package io.llava4j.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

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
 * @param stemChannels empty for CLIP's patch convolution; otherwise the channels of the residual stages of a
 *     convolutional patch embedding, each of which halves the resolution (their number is log2 of {@code patchSize})
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
        List<Integer> stemChannels) {

    /** CLIP ViT-L/14 at 336 pixels, the tower of LLaVA-1.5. */
    public static final VisionConfig CLIP_VIT_L_336 =
            new VisionConfig(1024, 4096, 24, 16, 336, 14, 1e-5, "quick_gelu", List.of());

    /** Patches along one edge. */
    public int grid() {
        return imageSize / patchSize;
    }

    /** Patches of one image, without the CLS token. */
    public int patches() {
        return grid() * grid();
    }

    /** Shapes of a convolutional stem's tensors by their names behind {@code embeddings.patch_embedding.}. */
    public Map<String, long[]> stemTensors() {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        long in = 3;
        for (int i = 0; i < stemChannels.size(); i++) {
            long out = stemChannels.get(i);
            String stage = "stages." + i + ".";
            shapes.put(stage + "down.weight", new long[] {out, in, 3, 3});
            shapes.put(stage + "down.bias", new long[] {out});
            for (int half = 1; half <= 2; half++) {
                shapes.put(stage + "norm" + half + ".weight", new long[] {out});
                shapes.put(stage + "norm" + half + ".bias", new long[] {out});
                shapes.put(stage + "conv" + half + ".weight", new long[] {out, out, 3, 3});
                shapes.put(stage + "conv" + half + ".bias", new long[] {out});
            }
            in = out;
        }
        shapes.put("projection.weight", new long[] {hiddenSize, in});
        return shapes;
    }
}
