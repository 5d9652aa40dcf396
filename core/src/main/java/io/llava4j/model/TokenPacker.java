package io.llava4j.model;

import io.llava4j.model.config.FeatureStates;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.TokenPackerParameters;
import io.llava4j.tensor.LinearProvider;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * What a TokenPacker computes before its MLP (docs/reference/model.md#tokenpacker): the middle of each square of patches
 * attends to the patches of its own square, whose keys and values come from several hidden states of the tower.
 */
final class TokenPacker {
    private final FeatureStates states;
    private final int edge;
    private final int heads;
    private final Linear query;
    private final List<Linear> key;
    private final List<Linear> value;
    private final LayerNorm queryNorm;
    private final LayerNorm keyNorm;
    private final LayerNorm valueNorm;
    private final Tensor weight;
    private final Tensor bias;
    private final Linear out;

    /** @param edge of a square in patches */
    TokenPacker(LlavaConfig config, int edge, Weights weights) {
        TokenPackerParameters names = TokenPackerParameters.of(config.vision().hiddenSize());
        this.states = config.featureStates();
        this.edge = edge;
        this.heads = names.heads();
        this.query = new Linear(weights, names.query().prefix());
        this.key = linears(names.key(), weights);
        this.value = linears(names.value(), weights);
        this.queryNorm = new LayerNorm(weights, names.queryNorm(), TokenPackerParameters.EPSILON);
        this.keyNorm = new LayerNorm(weights, names.keyNorm(), TokenPackerParameters.EPSILON);
        this.valueNorm = new LayerNorm(weights, names.valueNorm(), TokenPackerParameters.EPSILON);
        this.weight = weights.get(names.attentionWeight().name());
        this.bias = weights.get(names.attentionBias().name());
        this.out = new Linear(weights, names.attentionOut().prefix());
    }

    private static List<Linear> linears(List<Parameters.Linear> layers, Weights weights) {
        return layers.stream().map(layer -> new Linear(weights, layer.prefix())).toList();
    }

    /**
     * {@code [images, patches, states * hidden] -> [images, patches / edge², hidden]}, squares row by row over the image.
     *
     * @param features of {@link FeatureStates}
     */
    Tensor forward(Tensor features) {
        Tensor levels = states.areLevels()
                ? features
                : Tensors.cat(
                        2,
                        states.levels().stream()
                                .map(level -> state(features, level))
                                .toArray(Tensor[]::new));
        Tensor keys = keyNorm.forward(mlp(key, levels));
        Tensor values = valueNorm.forward(mlp(value, levels));
        Tensor queries = queryNorm.forward(query.forward(middles(state(features, states.selected()))));
        long images = features.size(0);
        long squares = queries.size(1);
        long width = queries.size(2);
        Tensor attended = Attention.attend(
                heads(projected(queries, 0).reshape(images * squares, 1, width)),
                heads(projected(MlpProjector.squares(keys, edge), 1)
                        .reshape(images * squares, (long) edge * edge, width)),
                heads(projected(MlpProjector.squares(values, edge), 2)
                        .reshape(images * squares, (long) edge * edge, width)),
                null,
                false);
        return out.forward(Attention.mergeHeads(attended).reshape(images, squares, width));
    }

    /** A hidden state among the features, {@code [images, patches, hidden]}. */
    private Tensor state(Tensor features, int index) {
        long width = features.size(2) / states.states().size();
        return features.narrow(2, index * width, width);
    }

    /** What bilinear resizing by a whole factor gives: a square's middle patch, or the mean of the four in its middle. */
    private Tensor middles(Tensor features) {
        Tensor patches = MlpProjector.squares(features, edge);
        int first = (edge - 1) / 2;
        if (edge % 2 == 1) {
            return patches.select(2, (long) first * edge + first);
        }
        Tensor above = patches.narrow(2, (long) first * edge + first, 2);
        Tensor below = patches.narrow(2, (first + 1L) * edge + first, 2);
        return Tensors.cat(2, above, below).mean(2);
    }

    private static Tensor mlp(List<Linear> layers, Tensor x) {
        return layers.getLast().forward(torch.gelu(layers.getFirst().forward(x)));
    }

    /**
     * Queries, keys or values of the attention.
     *
     * @param part 0, 1 or 2
     */
    private Tensor projected(Tensor x, int part) {
        long width = weight.size(1);
        // Narrowed at each pass, because training replaces what the tensors hold.
        return LinearProvider.instance()
                .create(weight.narrow(0, part * width, width), bias.narrow(0, part * width, width))
                .apply(x);
    }

    private Tensor heads(Tensor x) {
        return Attention.splitHeads(x, heads);
    }
}
