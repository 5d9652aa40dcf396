package io.llava4j.model;

import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** A linear layer; the bias is used where the checkpoint has one, an adapter where training added one. */
final class Linear {
    private final Tensor weight;
    private final @Nullable Tensor bias;
    private final @Nullable Adapter adapter;

    Linear(Weights weights, String prefix) {
        this(weights, prefix, null);
    }

    /** @param lora of the adapters; null where there are none */
    Linear(Weights weights, String prefix, @Nullable LoraConfig lora) {
        this.weight = weights.get(prefix + "weight");
        this.bias = weights.find(prefix + "bias");
        this.adapter = lora == null
                ? null
                : new Adapter(weights.get(prefix + LoraConfig.DOWN), weights.get(prefix + LoraConfig.UP), lora);
    }

    /** {@code [..., in] -> [..., out]}. */
    Tensor forward(Tensor x) {
        Tensor y = Tensors.linear(x, weight, bias);
        return adapter == null ? y : y.add(adapter.forward(x));
    }

    private record Adapter(Tensor down, Tensor up, LoraConfig config) {
        /** With dropout, as only training has adapters; for answers they are merged into the weights. */
        Tensor forward(Tensor x) {
            Tensor kept = config.dropout() > 0 ? torch.dropout(x, config.dropout(), true) : x;
            return Tensors.linear(Tensors.linear(kept, down, null), up, null).mul(Tensors.scalar(config.scale()));
        }
    }
}
