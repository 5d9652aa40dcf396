package io.llava4j.model;

import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** A linear layer; the bias is used where the checkpoint has one. */
final class Linear {
    private final Tensor weight;
    private final @Nullable Tensor bias;

    Linear(Weights weights, String prefix) {
        this.weight = weights.get(prefix + "weight");
        this.bias = weights.find(prefix + "bias");
    }

    /** {@code [..., in] -> [..., out]}. */
    Tensor forward(Tensor x) {
        return Tensors.linear(x, weight, bias);
    }
}
