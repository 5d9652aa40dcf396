package io.llava4j.nano.pretrain;

import io.llava4j.model.ClipBlock;
import io.llava4j.model.LayerNorm;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.Parameters;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * CLIP's text transformer: token and position embeddings, causal blocks, a final LayerNorm; a phrase is the state of
 * its last token. Needed only while a vision tower is pre-trained; LLaVA itself never loads it.
 */
public final class ClipTextTower {
    /** Where its tensors stand; none of LLaVA's own names begins so. */
    public static final String PREFIX = "text_model.";

    /**
     * Its shape.
     *
     * @param hiddenSize width
     * @param layers blocks
     * @param heads attention heads
     * @param vocabSize size of the token table
     * @param maxPositions longest phrase in tokens
     */
    public record Shape(int hiddenSize, int layers, int heads, int vocabSize, int maxPositions) {
        /** Canonical names and shapes of the tensors. */
        public Map<String, long[]> tensors() {
            Map<String, long[]> shapes = new LinkedHashMap<>();
            long h = hiddenSize;
            shapes.put(PREFIX + "embeddings.token_embedding.weight", new long[] {vocabSize, h});
            shapes.put(PREFIX + "embeddings.position_embedding.weight", new long[] {maxPositions, h});
            for (int i = 0; i < layers; i++) {
                String layer = PREFIX + "encoder.layers." + i + ".";
                for (String norm : List.of("layer_norm1", "layer_norm2")) {
                    shapes.put(layer + norm + ".weight", new long[] {h});
                    shapes.put(layer + norm + ".bias", new long[] {h});
                }
                for (String projection : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
                    shapes.put(layer + "self_attn." + projection + ".weight", new long[] {h, h});
                    shapes.put(layer + "self_attn." + projection + ".bias", new long[] {h});
                }
                shapes.put(layer + "mlp.fc1.weight", new long[] {4 * h, h});
                shapes.put(layer + "mlp.fc1.bias", new long[] {4 * h});
                shapes.put(layer + "mlp.fc2.weight", new long[] {h, 4 * h});
                shapes.put(layer + "mlp.fc2.bias", new long[] {h});
            }
            shapes.put(PREFIX + "final_layer_norm.weight", new long[] {h});
            shapes.put(PREFIX + "final_layer_norm.bias", new long[] {h});
            return shapes;
        }
    }

    private final Tensor tokenEmbedding;
    private final Tensor positionEmbedding;
    private final List<ClipBlock> blocks = new ArrayList<>();
    private final LayerNorm finalNorm;

    /** Reads the tensors under {@link #PREFIX}. */
    public ClipTextTower(Shape shape, Weights weights) {
        this.tokenEmbedding = weights.get(PREFIX + "embeddings.token_embedding.weight");
        this.positionEmbedding = weights.get(PREFIX + "embeddings.position_embedding.weight");
        for (int i = 0; i < shape.layers(); i++) {
            ClipParameters.Block names = ClipParameters.Block.of(
                    PREFIX + "encoder.layers." + i + ".", shape.hiddenSize(), 4L * shape.hiddenSize());
            blocks.add(new ClipBlock(weights, names, shape.heads(), 1e-5, "quick_gelu", true));
        }
        this.finalNorm = new LayerNorm(
                weights, new Parameters.Norm(PREFIX + "final_layer_norm.", shape.hiddenSize(), true), 1e-5);
    }

    /**
     * Embeds phrases.
     *
     * @param phrases token ids, each at most {@code maxPositions} long
     * @return {@code [phrases, hidden]}
     */
    public Tensor embed(List<int[]> phrases) {
        int longest = phrases.stream().mapToInt(phrase -> phrase.length).max().orElse(0);
        long[] ids = new long[phrases.size() * longest];
        int[] counts = new int[phrases.size()];
        for (int i = 0; i < phrases.size(); i++) {
            counts[i] = phrases.get(i).length;
            for (int t = 0; t < counts[i]; t++) {
                ids[i * longest + t] = phrases.get(i)[t];
            }
        }
        Tensor index = Tensors.of(ids, phrases.size(), longest).to(tokenEmbedding.device(), torch.ScalarType.Long);
        // Phrases are padded on the right; causal attention keeps the padding out of the last real token.
        Tensor x = torch.embedding(tokenEmbedding, index).add(positionEmbedding.narrow(0, 0, longest));
        for (ClipBlock block : blocks) {
            x = block.forward(x);
        }
        return finalNorm.forward(LlamaModel.lastTokens(x, counts));
    }
}
