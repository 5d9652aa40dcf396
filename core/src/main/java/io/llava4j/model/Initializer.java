package io.llava4j.model;

import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.TokenPackerParameters;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.bytedeco.pytorch.Device;

/**
 * Random initial weights. The values of a tensor depend on the seed and its name only, so that parts can be initialised
 * alone or together with the same result on every machine.
 */
public final class Initializer {
    private final long seed;
    private final Device device;

    /** @param seed of all tensors, which are on the CPU */
    public Initializer(long seed) {
        this(seed, "cpu");
    }

    /**
     * @param seed of all tensors
     * @param device they are on, {@code cpu} or {@code cuda:N}
     */
    public Initializer(long seed, String device) {
        this.seed = seed;
        this.device = Engine.device(device);
    }

    /**
     * Adds a random tensor.
     *
     * @param weights receive the tensor
     * @param name canonical name; decides the distribution
     * @param shape its shape
     */
    public void fill(Weights weights, String name, long... shape) {
        int count = 1;
        for (long size : shape) {
            count = Math.multiplyExact(count, Math.toIntExact(size));
        }
        // fan-in of a linear layer [out, in] or a convolution [out, in, h, w]
        int fanIn = shape.length < 2 ? count : count / Math.toIntExact(shape[0]);
        RandomGenerator random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + name.hashCode());
        float[] values = new float[count];
        if (TokenPackerParameters.contains(name) && shape.length == 2) {
            // The official code's: normal for linear layers, PyTorch's Xavier-uniform for attention's first matrix.
            double bound = Math.sqrt(6.0 / (shape[0] + shape[1]));
            double deviation = deviation(name, fanIn);
            fillWith(
                    values,
                    () -> name.endsWith("in_proj_weight")
                            ? (2 * random.nextDouble() - 1) * bound
                            : random.nextGaussian() * deviation);
        } else if (TokenPackerParameters.contains(name)) {
            fillWith(values, () -> name.contains("ln_") && name.endsWith("weight") ? 1 : 0);
        } else if (name.startsWith(ProjectorType.PREFIX)) {
            // PyTorch's default for Linear, as the projector is created after the language model is loaded
            // (docs/reference/model.md#projector)
            double bound = 1 / Math.sqrt(projectorFanIn(weights, name, fanIn));
            fillWith(values, () -> (2 * random.nextDouble() - 1) * bound);
        } else if (name.equals(ProjectorType.ROW_END)) {
            // As LLaVA draws it (docs/reference/training.md#images-in-tiles).
            double deviation = 1 / Math.sqrt(count);
            fillWith(values, () -> random.nextGaussian() * deviation);
        } else if (name.endsWith(LoraConfig.DOWN)) {
            // Kaiming-uniform with a = √5, PEFT's default; with B at zero an adapter starts without effect.
            double bound = 1 / Math.sqrt(fanIn);
            fillWith(values, () -> (2 * random.nextDouble() - 1) * bound);
        } else if (name.endsWith(".bias") || name.endsWith(LoraConfig.UP)) {
            fillWith(values, () -> 0);
        } else if (shape.length == 1 && name.endsWith("weight")) {
            fillWith(values, () -> name.endsWith("norm2.weight") && name.contains("stages.") ? 0.5 : 1);
        } else {
            double deviation = deviation(name, fanIn);
            fillWith(values, () -> random.nextGaussian() * deviation);
        }
        weights.put(name, Tensors.of(values, shape).to(device, Tensors.FLOAT));
    }

    private static double deviation(String name, int fanIn) {
        if (name.contains("embed_tokens")) {
            // About as large as what the blocks add; otherwise that hides the token itself, and names cannot be looked
            // up.
            return 0.7;
        }
        if (name.contains("o_proj")) {
            // What attention reads has to count from the first step on: at a tenth of this, a small language model does
            // not find out in thousands of steps that it can look up a word in its context.
            return 1 / Math.sqrt(fanIn);
        }
        if (name.contains("down_proj")) {
            return 0.1 / Math.sqrt(fanIn);
        }
        if (name.contains("embed") && !name.contains("patch_embedding")) {
            return 0.02;
        }
        if (name.contains("stages.")) {
            // The second convolution of a residual branch starts small, so that a stage starts near the identity.
            return (name.contains("conv2.") ? 0.1 : 1) * Math.sqrt(2.0 / fanIn);
        }
        if (name.contains("vision_model") && (name.contains("out_proj") || name.contains("fc2"))) {
            // So do the blocks after the patch embedding: a small tower then trains several times faster.
            return 0.05 / Math.sqrt(fanIn);
        }
        // Small widths need more than the 0.02 of large models, with which activations shrink from layer to layer.
        return Math.max(0.02, 0.5 / Math.sqrt(fanIn));
    }

    /** A bias shares the bound of its layer's weight. */
    private static int projectorFanIn(Weights weights, String name, int fanIn) {
        return name.endsWith(".bias")
                ? Math.toIntExact(weights.get(name.replace(".bias", ".weight")).size(1))
                : fanIn;
    }

    private interface Draw {
        double next();
    }

    private static void fillWith(float[] values, Draw draw) {
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) draw.next();
        }
    }
}
