package io.llava4j.model;

import io.llava4j.tensor.Engine;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;

/**
 * A pass through the language model's blocks whose gradients are wanted. With gradient checkpointing only the inputs of the
 * blocks are kept, and the backward pass computes every block again. Where a {@link PassListener} follows the pass, every
 * block has a graph of its own. All give the same gradients, to the last bit.
 */
public final class TrainingPass {
    /** Computes one block of the model. */
    interface Blocks {
        Tensor forward(int block, Tensor x);
    }

    private final Tensor embeds;
    private final Blocks blocks;
    private final PassListener listener;
    /** Inputs of the blocks; empty if the pass has one graph. */
    private final List<Tensor> inputs = new ArrayList<>();
    /** Outputs of the blocks with their graphs; empty if blocks are computed again. */
    private final List<Tensor> outputs = new ArrayList<>();

    private final Tensor hidden;

    private TrainingPass(Tensor embeds, Blocks blocks, int count, boolean checkpointing, PassListener listener) {
        this.embeds = embeds;
        this.blocks = blocks;
        this.listener = listener;
        boolean oneGraph = !checkpointing && listener == PassListener.NONE;
        Tensor x = embeds;
        for (int i = 0; i < count; i++) {
            listener.before(i);
            if (oneGraph) {
                x = blocks.forward(i, x);
            } else {
                x = checkpointing ? checkpointed(i, x) : cut(i, x);
            }
            listener.afterForward(i);
        }
        this.hidden = oneGraph ? x : leaf(x);
    }

    static TrainingPass run(Tensor embeds, int count, boolean checkpointing, PassListener listener, Blocks blocks) {
        return new TrainingPass(embeds, blocks, count, checkpointing, listener);
    }

    private Tensor cut(int block, Tensor x) {
        Tensor input = input(x);
        Tensor output = blocks.forward(block, input);
        outputs.add(output);
        return output;
    }

    private Tensor checkpointed(int block, Tensor x) {
        Tensor input = input(x);
        if (block > 0) {
            x.close(); // the input alone keeps the numbers, until the backward pass has read them
        }
        return Engine.freeingIntermediates(() -> {
            try (NoGradGuard guard = new NoGradGuard()) {
                return blocks.forward(block, input);
            }
        });
    }

    private Tensor input(Tensor x) {
        Tensor input = leaf(x);
        inputs.add(input);
        return input;
    }

    private static Tensor leaf(Tensor x) {
        Tensor leaf = x.detach();
        leaf.set_requires_grad(true);
        return leaf;
    }

    /** Hidden states before the final norm, {@code [batch, tokens, hidden]}. */
    public Tensor hidden() {
        return hidden;
    }

    /**
     * Continues the loss's own backward pass, which ended at {@link #hidden}, through blocks with graphs of their own. Does
     * nothing where the pass has one graph.
     */
    public void backward() {
        if (inputs.isEmpty()) {
            return; // one graph, which the loss's own backward pass covered
        }
        Tensor gradient = hidden.grad().detach();
        while (!inputs.isEmpty()) {
            gradient = backward(inputs.size() - 1, inputs.removeLast(), gradient);
        }
        listener.before(PassListener.INPUTS);
        listener.beforeBackward(PassListener.INPUTS);
        if (embeds.requires_grad()) {
            backward(embeds, gradient);
        }
        listener.afterBackward(PassListener.INPUTS);
    }

    /** Frees the block's input and the gradient of its output, which nobody reads any more. */
    private Tensor backward(int block, Tensor input, Tensor gradient) {
        listener.before(block);
        listener.beforeBackward(block);
        Tensor result = Engine.freeingIntermediates(() -> {
            Tensor output = outputs.isEmpty() ? blocks.forward(block, input) : outputs.removeLast();
            backward(output, gradient);
            output.close(); // frees what its graph has kept
            return input.grad().detach(); // outlives the input, which holds its gradient
        });
        input.close();
        gradient.close();
        listener.afterBackward(block);
        return result;
    }

    private static void backward(Tensor output, Tensor gradient) {
        output.backward(gradient, new BoolOptional(), false, new TensorArrayRefOptional());
    }
}
