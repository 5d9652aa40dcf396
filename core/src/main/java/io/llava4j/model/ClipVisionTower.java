package io.llava4j.model;

import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.model.prune.VisionZip;
import io.llava4j.tensor.Convolution;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * CLIP's vision transformer (docs/reference/model.md#vision-tower): patch embedding, CLS, learned positions,
 * pre-LayerNorm, blocks. Its features are one of the hidden states or several, without a final norm; blocks after them never
 * run.
 */
public final class ClipVisionTower implements VisionTower {
    private final VisionConfig config;
    private final PatchEmbedding patchEmbedding;
    private final Tensor classEmbedding;
    private final Tensor positionEmbedding;
    private final LayerNorm preNorm;
    private final LayerNorm postNorm;
    private final List<ClipBlock> blocks = new ArrayList<>();
    private final List<Integer> featureStates;
    private final boolean keepCls;
    private final int visionTokens;

    /** A tower whose features are its last hidden state without CLS. */
    public ClipVisionTower(VisionConfig config, Weights weights) {
        this(config, weights, -1, false);
    }

    /**
     * A tower whose features are one hidden state.
     *
     * @param selectLayer its index among the {@code layers + 1} hidden states, negative from the end
     * @throws io.llava4j.ConfigException if there is no such hidden state
     */
    public ClipVisionTower(VisionConfig config, Weights weights, int selectLayer, boolean keepCls) {
        this(config, weights, List.of(config.blocksBefore(selectLayer)), keepCls, 0);
    }

    /**
     * Reads the tower's tensors.
     *
     * @param config shape of the tower
     * @param weights tensors of {@link ClipParameters}
     * @param featureStates which of the {@code layers + 1} hidden states the features consist of, in ascending order
     * @param keepCls whether CLS is the first of the features
     * @param visionTokens features that VisionZip leaves; 0 for all
     */
    public ClipVisionTower(
            VisionConfig config, Weights weights, List<Integer> featureStates, boolean keepCls, int visionTokens) {
        this.config = config;
        this.featureStates = List.copyOf(featureStates);
        this.keepCls = keepCls;
        this.visionTokens = visionTokens;
        ClipParameters names = ClipParameters.of(config);
        this.patchEmbedding = PatchEmbedding.of(names.patchEmbedding(), weights);
        this.classEmbedding = weights.get(names.classEmbedding().name());
        this.positionEmbedding = weights.get(names.positionEmbedding().name());
        this.preNorm = new LayerNorm(weights, names.preNorm(), config.layerNormEps());
        this.postNorm = new LayerNorm(weights, names.postNorm(), config.layerNormEps());
        for (ClipParameters.Block block : names.blocks()) {
            blocks.add(new ClipBlock(weights, block, config.heads(), config.layerNormEps(), config.hiddenAct(), false));
        }
    }

    @Override
    public List<Integer> featureStates() {
        return featureStates;
    }

    @Override
    public Tensor forward(int block, Tensor states) {
        return forward(blocks.get(block), states);
    }

    @Override
    public Tensor select(Tensor states) {
        return keepCls ? states : states.narrow(1, 1, config.patches());
    }

    @Override
    public Tensor keep(Tensor input, Tensor states) {
        if (visionTokens == 0) {
            return select(states);
        }
        ClipBlock.ClsAttention attention = blocks.get(blocks() - 1).clsAttention(input);
        Tensor[] kept = new Tensor[Math.toIntExact(states.size(0))];
        Arrays.setAll(kept, image -> keep(attention.ofImage(image, visionTokens), states.select(0, image)));
        return torch.stack(new TensorVector(kept));
    }

    private static Tensor keep(VisionZip zip, Tensor states) {
        int[] dominant = zip.dominant();
        Tensor asTheyAre = states.index_select(
                0, Tensors.ofInts(dominant, dominant.length).to(states.device(), torch.ScalarType.Long));
        Tensor factors = Tensors.of(zip.mergedRows(), zip.merged().length, states.size(0));
        return Tensors.cat(
                0, asTheyAre, factors.to(states.device(), states.scalar_type()).matmul(states));
    }

    @Override
    public int tokensPerImage() {
        return visionTokens > 0 ? visionTokens : config.patches() + (keepCls ? 1 : 0);
    }

    @Override
    public int featureWidth() {
        return config.hiddenSize() * featureStates.size();
    }

    @Override
    public int imageSize() {
        return config.imageSize();
    }

    @Override
    public boolean isTrainable() {
        return classEmbedding.requires_grad();
    }

    /**
     * Every hidden state: 0 is the embeddings after the pre-LayerNorm, k the output of block k.
     *
     * @return {@code layers + 1} tensors {@code [images, patches + 1, hidden]}
     */
    public List<Tensor> hiddenStates(Tensor pixels) {
        List<Tensor> states = new ArrayList<>();
        Tensor x = embed(pixels);
        states.add(x);
        for (ClipBlock block : blocks) {
            x = forward(block, x);
            states.add(x);
        }
        return states;
    }

    /**
     * What contrastive training compares with text: the patches after all blocks and the post-LayerNorm, without CLS.
     *
     * @param pixels {@code [images, 3, edge, edge]}; an edge below the configured one is a crop from the centre
     * @return {@code [images, patches of that edge, hidden]}
     */
    public Tensor patchFeatures(Tensor pixels) {
        Tensor x = embed(pixels);
        for (ClipBlock block : blocks) {
            x = forward(block, x);
        }
        return postNorm.forward(x.narrow(1, 1, x.size(1) - 1));
    }

    private static Tensor forward(ClipBlock block, Tensor x) {
        return Engine.freeingIntermediates(() -> block.forward(x));
    }

    @Override
    public Tensor embed(Tensor pixels) {
        long images = pixels.size(0);
        Tensor patches = patchEmbedding.forward(pixels);
        Tensor cls = classEmbedding.view(1, 1, config.hiddenSize()).expand(images, 1, config.hiddenSize());
        return preNorm.forward(Tensors.cat(1, cls, patches).add(positions(pixels.size(2) / config.patchSize())));
    }

    /** The position table; for an image smaller than configured, CLS and the centre of the grid. */
    private Tensor positions(long grid) {
        if (grid == config.grid()) {
            return positionEmbedding;
        }
        long margin = (config.grid() - grid) / 2;
        long hidden = config.hiddenSize();
        Tensor centre = positionEmbedding
                .narrow(0, 1, config.patches())
                .view(config.grid(), config.grid(), hidden)
                .narrow(0, margin, grid)
                .narrow(1, margin, grid)
                .reshape(grid * grid, hidden);
        return Tensors.cat(0, positionEmbedding.narrow(0, 0, 1), centre);
    }

    /** Turns pixels into patch embeddings, row-major from the top left. */
    interface PatchEmbedding {
        /** {@code [images, 3, size, size] -> [images, patches, hidden]}. */
        Tensor forward(Tensor pixels);

        static PatchEmbedding of(ClipParameters.PatchEmbedding names, Weights weights) {
            return switch (names) {
                case ClipParameters.Stem stem -> new ConvolutionalStem(stem, weights);
                case ClipParameters.Patches patches -> {
                    Tensor kernel = weights.get(patches.convolution().prefix() + "weight");
                    long stride = patches.convolution().kernel();
                    yield pixels -> Convolution.apply(pixels, kernel, null, stride, 0)
                            .flatten(2, 3)
                            .transpose(1, 2);
                }
            };
        }
    }
}
