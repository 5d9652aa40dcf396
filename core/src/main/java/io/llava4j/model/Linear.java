package io.llava4j.model;

import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.LinearOperator;
import io.llava4j.tensor.LinearProvider;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import org.bytedeco.pytorch.NoGradGuard;
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
        this.adapter =
                lora == null || !lora.adapts(prefix + "weight") ? null : Adapter.of(weights, prefix, operator, lora);
    }

    /** {@code [..., in] -> [..., out]}. */
    Tensor forward(Tensor x) {
        return forward(x, false);
    }

    /**
     * {@code [..., in] -> [..., out]}.
     *
     * @param dropout whether the adapter drops a share of its inputs
     */
    Tensor forward(Tensor x, boolean dropout) {
        return adapter == null ? operator.apply(x) : Engine.freeingIntermediates(() -> adapter.forward(x, dropout));
    }

    /** {@code W x + scale * B A x}. Only training has adapters; for inference they are merged into the weights. */
    private record Adapter(
            LinearOperator base,
            LinearOperator down,
            LinearOperator up,
            LoraConfig config,
            @Nullable Magnitude magnitude) {
        static Adapter of(Weights weights, String prefix, LinearOperator base, LoraConfig lora) {
            LinearProvider provider = LinearProvider.instance();
            Tensor down = weights.get(prefix + LoraConfig.DOWN);
            Tensor up = weights.get(prefix + LoraConfig.UP);
            return new Adapter(
                    base,
                    provider.create(down, null),
                    provider.create(up, null),
                    lora,
                    lora.dora()
                            ? new Magnitude(
                                    weights.get(prefix + LoraConfig.MAGNITUDE),
                                    weights.get(prefix + "weight"),
                                    down,
                                    up,
                                    lora.scale())
                            : null);
        }

        Tensor forward(Tensor x, boolean dropout) {
            boolean drops = dropout && config.dropout() > 0;
            Tensor kept = drops ? torch.dropout(x, config.dropout(), true) : x;
            Tensor y = base.apply(x);
            Tensor change = up.apply(down.apply(kept)).mul(Tensors.scalar(config.scale()));
            if (magnitude == null) {
                return y.add(change);
            }
            Tensor factor = magnitude.factor();
            // What rescaling adds to W x sees the dropped inputs too, as in PEFT.
            Tensor rescaled = drops ? base.apply(kept) : y;
            return y.add(rescaled.mul(factor.sub(Tensors.scalar(1)))).add(change.mul(factor));
        }
    }

    /** Trained lengths of the rows of {@code W + scale * B A} (DoRA). */
    private record Magnitude(Tensor lengths, Tensor weight, Tensor down, Tensor up, double scale) {
        /** {@code [out]}. The rows' present lengths are constants to the backward pass (DoRA, section 4.3). */
        Tensor factor() {
            Tensor present;
            try (NoGradGuard constant = new NoGradGuard()) {
                present = LowRank.rowLengths(LowRank.sum(weight, down, up, scale));
            }
            return lengths.div(present.to(lengths.scalar_type()));
        }
    }
}
