package io.llava4j.model;

import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.LinearOperator;
import io.llava4j.tensor.LinearProvider;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** A linear layer, with a bias if the checkpoint has one and with a LoRA adapter if one is being trained. */
public final class Linear {
    private final LinearOperator operator;
    private final @Nullable Adapter adapter;

    Linear(Weights weights, String prefix) {
        this(weights, prefix, null);
    }

    /** @param lora of the adapters; null where there are none */
    Linear(Weights weights, String prefix, @Nullable LoraConfig lora) {
        this.operator = weights.linear(prefix);
        this.adapter = lora == null ? null : Adapter.of(weights, prefix, lora);
    }

    /** {@code [..., in] -> [..., out]}. */
    Tensor forward(Tensor x) {
        Tensor y = operator.apply(x);
        return adapter == null ? y : y.add(adapter.forward(x));
    }

    /** {@code scale * B A x}. Only training has adapters; for inference they are merged into the weights. */
    private record Adapter(LinearOperator down, LinearOperator up, LoraConfig config) {
        static Adapter of(Weights weights, String prefix, LoraConfig lora) {
            LinearProvider provider = LinearProvider.instance();
            return new Adapter(
                    provider.create(weights.get(prefix + LoraConfig.DOWN), null),
                    provider.create(weights.get(prefix + LoraConfig.UP), null),
                    lora);
        }

        Tensor forward(Tensor x) {
            Tensor kept = config.dropout() > 0 ? torch.dropout(x, config.dropout(), true) : x;
            return up.apply(down.apply(kept)).mul(Tensors.scalar(config.scale()));
        }
    }
}
