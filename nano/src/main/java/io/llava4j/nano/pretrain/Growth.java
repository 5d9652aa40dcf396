package io.llava4j.nano.pretrain;

import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.Initializer;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.train.config.Require;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Makes a trained model deeper, and its images larger, without changing what it computes. New blocks follow the old ones
 * and start as the identity, because the matrices that end their two branches are zero (block expansion, LLaMA Pro, arXiv
 * 2401.02415). A position table for more patches is interpolated.
 */
final class Growth {
    private static final List<String> BRANCH_ENDS =
            List.of("self_attn.out_proj.weight", "mlp.fc2.weight", "self_attn.o_proj.weight", "mlp.down_proj.weight");

    private final Weights weights;
    private final Initializer initializer;

    /**
     * @param weights of the trained model; they become those of the grown one
     * @param initializer of the matrices that do not end a branch
     */
    Growth(Weights weights, Initializer initializer) {
        this.weights = weights;
        this.initializer = initializer;
    }

    /** @throws io.llava4j.ConfigException if the shapes differ in more than blocks and image size, or there are fewer blocks */
    void tower(VisionConfig from, VisionConfig to) {
        Require.that(
                from.equals(new VisionConfig(
                        to.hiddenSize(),
                        to.intermediateSize(),
                        from.layers(),
                        to.heads(),
                        from.imageSize(),
                        to.patchSize(),
                        to.layerNormEps(),
                        to.hiddenAct(),
                        to.stemChannels(),
                        from.scaling())),
                "config.vision differs from the tower to train further in more than layers and image-size");
        addBlocks(new ModelKind.Clip(to), from.layers(), to.layers());
        if (from.grid() != to.grid()) {
            String name = ClipParameters.of(to).positionEmbedding().name();
            weights.put(name, interpolated(weights.get(name), from.grid(), to.grid()));
        }
    }

    /** @throws io.llava4j.ConfigException if the shapes differ in more than blocks, or there are fewer of them */
    void language(TextConfig from, TextConfig to) {
        Require.that(
                from.hiddenSize() == to.hiddenSize()
                        && from.intermediateSize() == to.intermediateSize()
                        && from.heads() == to.heads()
                        && from.kvHeads() == to.kvHeads()
                        && from.vocabSize() == to.vocabSize()
                        && from.ropeTheta() == to.ropeTheta()
                        && from.tieWordEmbeddings() == to.tieWordEmbeddings(),
                "config.text differs from the language model to train further in more than layers and"
                        + " max-position-embeddings");
        addBlocks(new ModelKind.Llama(to), from.layers(), to.layers());
    }

    private void addBlocks(ModelKind kind, int before, int after) {
        Require.that(
                after >= before,
                "layers is %d, fewer than the %d of the model to train further".formatted(after, before));
        ExpectedTensors.of(kind).shapes().forEach((name, shape) -> {
            if (weights.find(name) == null) {
                initializer.fill(weights, name, shape);
                if (BRANCH_ENDS.stream().anyMatch(name::endsWith)) {
                    weights.get(name).zero_();
                }
            }
        });
    }

    /** CLS keeps its row; the patches' rows are an image of {@code from x from} positions. */
    private static Tensor interpolated(Tensor table, int from, int to) {
        long hidden = table.size(1);
        Tensor patches = table.narrow(0, 1, (long) from * from)
                .reshape(1, from, from, hidden)
                .permute(0, 3, 1, 2);
        Tensor larger = torch.upsample_bilinear2d(patches, new long[] {to, to}, false)
                .permute(0, 2, 3, 1)
                .reshape((long) to * to, hidden);
        return Tensors.cat(0, table.narrow(0, 0, 1), larger);
    }
}
