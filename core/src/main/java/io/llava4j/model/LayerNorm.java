package io.llava4j.model;

import io.llava4j.model.config.Parameters;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** LayerNorm over the last dimension, with weight and bias. */
public final class LayerNorm {
    private final Tensor weight;
    private final Tensor bias;
    private final double eps;

    public LayerNorm(Weights weights, Parameters.Norm names, double eps) {
        this.weight = weights.get(names.prefix() + "weight");
        this.bias = weights.get(names.prefix() + "bias");
        this.eps = eps;
    }

    /** {@code [..., hidden] -> [..., hidden]}. */
    public Tensor forward(Tensor x) {
        return torch.layer_norm(
                x, new long[] {weight.size(0)}, Tensors.optional(weight), Tensors.optional(bias), eps, true);
    }
}
