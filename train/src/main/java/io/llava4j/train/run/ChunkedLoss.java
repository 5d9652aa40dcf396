package io.llava4j.train.run;

import io.llava4j.model.LlamaModel;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * Cross-entropy of many positions, whose logits exist for one chunk of them at a time. The forward pass keeps the hidden
 * states and the losses only; the backward pass computes the logits of every chunk again, which is one more product with
 * the LM head. Logits of a whole micro-batch with their softmax and gradient would take {@code 12 * vocabulary} bytes for
 * every position: 1.8 GB for 4,800 positions of a vocabulary of 32,000.
 */
final class ChunkedLoss {
    private final LlamaModel model;
    private final Tensor chosen;
    private final Tensor targets;
    private final long chunk;
    /** {@link #chosen} as a leaf that collects the gradients of the chunks. */
    private final Tensor states;
    /** Cross-entropy of each position, {@code [positions]}; a leaf at which the gradient of the mean ends. */
    private final Tensor losses;

    /**
     * Computes the losses.
     *
     * @param model whose final norm and head are used
     * @param chosen hidden states of the positions, {@code [positions, hidden]}, with their graph
     * @param targets {@code [positions]}
     * @param chunk positions at a time
     */
    ChunkedLoss(LlamaModel model, Tensor chosen, Tensor targets, long chunk) {
        this.model = model;
        this.chosen = chosen;
        this.targets = targets;
        this.chunk = chunk;
        this.states = chosen.detach();
        states.set_requires_grad(true);
        this.losses =
                torch.zeros(new long[] {targets.numel()}, chosen.options().dtype(Tensors.optionalType(Tensors.FLOAT)));
        try (NoGradGuard guard = new NoGradGuard()) {
            for (long from = 0; from < targets.numel(); from += chunk) {
                long start = from;
                Engine.freeingIntermediates(
                        () -> losses.narrow(0, start, count(start)).copy_(losses(start)));
            }
        }
        losses.set_requires_grad(true);
    }

    /** Mean over the positions, whose backward pass ends at their losses; {@link #backward} continues it. */
    Tensor mean() {
        return losses.mean();
    }

    /** Cross-entropy of each position. */
    float[] ofTokens() {
        return Tensors.toFloats(losses);
    }

    /** Continues the mean's backward pass to the hidden states and the weights of norm and head. */
    void backward() {
        Tensor gradient = losses.grad();
        for (long from = 0; from < targets.numel(); from += chunk) {
            long start = from;
            Engine.scope("a chunk of the loss", () -> {
                backward(Engine.freeingIntermediates(() -> losses(start)), gradient.narrow(0, start, count(start)));
                return null;
            });
        }
        if (chosen.requires_grad()) {
            backward(chosen, states.grad());
        }
    }

    private Tensor losses(long from) {
        Tensor logits = model.logits(states.narrow(0, from, count(from))).to(Tensors.FLOAT);
        return torch.log_softmax(logits, 1)
                .gather(1, targets.narrow(0, from, count(from)).unsqueeze(1))
                .squeeze(1)
                .neg();
    }

    private long count(long from) {
        return Math.min(chunk, targets.numel() - from);
    }

    private static void backward(Tensor output, Tensor gradient) {
        output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
    }
}
