package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The trainable tensors, one after the other in one buffer of 32-bit floats, with their gradients in a second one, so that
 * the optimiser, clipping, checkpoints and exchanges between processes are a few operations on whole buffers.
 *
 * <p>In 32-bit training the network's weights are views of the first buffer. In bf16 they are views of a third, the compute
 * copy: the network reads 16 bits, while the optimiser moves the 32-bit values (the master copy) and rounds them again
 * after every step. Gradients are summed over micro-batches in 32-bit floats in either case: the engine adds a weight's
 * 16-bit gradient of one micro-batch to the 32-bit buffer that stands in for the weight's own.
 */
public final class TrainableParameters implements AutoCloseable {
    /**
     * A segment of the buffer with its own settings (docs/reference/training.md#optimizer).
     *
     * @param offset first element
     * @param length number of elements
     * @param projector whether it has the projector's learning rate
     * @param decay whether weight decay applies: not to biases and norms
     */
    public record Group(long offset, long length, boolean projector, boolean decay) {}

    private static final int NORM_CHUNK = 4096;
    private static final String VALUES = "values";
    private static final String GRADIENTS = "gradients";
    private static final String COPY = "compute copy";

    private final Weights buffers = new Weights();
    private final Map<String, Tensor> views = new LinkedHashMap<>();
    private final Map<String, Tensor> leaves = new LinkedHashMap<>();
    private final List<Group> groups = new ArrayList<>();

    /** {@link #TrainableParameters(Weights, Predicate, ComputePrecision)} in 32-bit floats. */
    public TrainableParameters(Weights weights, Predicate<String> trainable) {
        this(weights, trainable, ComputePrecision.FP32);
    }

    /**
     * Moves the chosen weights into one buffer; must come before the network is built on them.
     *
     * @param weights all tensors; trainable ones, in 32-bit floats, are replaced by views
     * @param trainable chooses by canonical name
     * @param precision whose type the network reads them in
     */
    public TrainableParameters(Weights weights, Predicate<String> trainable, ComputePrecision precision) {
        List<String> order = new ArrayList<>();
        List<Tensor> tensors = new ArrayList<>();
        long offset = 0;
        for (boolean projector : new boolean[] {false, true}) {
            for (boolean decay : new boolean[] {true, false}) {
                long start = offset;
                for (String name : weights.names()) {
                    if (trainable.test(name)
                            && name.startsWith(ProjectorType.PREFIX) == projector
                            && decays(name, weights.get(name)) == decay) {
                        order.add(name);
                        tensors.add(weights.get(name));
                        offset += weights.get(name).numel();
                    }
                }
                if (offset > start) {
                    groups.add(new Group(start, offset - start, projector, decay));
                }
            }
        }
        if (order.isEmpty()) {
            throw new ConfigException("no tensor of the model is trainable; check the recipe's section 'trainable'");
        }
        Tensor like = tensors.getFirst();
        buffers.put(VALUES, torch.zeros(new long[] {offset}, like.options()));
        buffers.put(GRADIENTS, torch.zeros(new long[] {offset}, like.options()));
        if (Tensors.type(precision) != torch.ScalarType.Float) {
            buffers.put(
                    COPY,
                    torch.zeros(
                            new long[] {offset}, like.options().dtype(Tensors.optionalType(Tensors.type(precision)))));
        }
        long at = 0;
        for (int i = 0; i < order.size(); i++) {
            Tensor tensor = tensors.get(i);
            long[] shape = Tensors.shape(tensor);
            Tensor view = values().narrow(0, at, tensor.numel()).view(shape);
            view.copy_(tensor);
            Tensor leaf = compute().narrow(0, at, tensor.numel()).view(shape).detach();
            leaf.set_requires_grad(true);
            leaf.mutable_grad().put(gradients().narrow(0, at, tensor.numel()).view(shape));
            at += tensor.numel();
            String name = order.get(i);
            weights.put(name, leaf);
            leaves.put(name, leaf);
            if (Tensors.type(precision) == torch.ScalarType.Float) {
                views.put(name, leaf);
            } else {
                buffers.put("view of " + name, view);
                views.put(name, view);
            }
        }
        valuesChanged();
    }

    /** LLaVA's rule: no decay on biases and on the norms' weights, the only tensors of one dimension beside DoRA's lengths. */
    private static boolean decays(String name, Tensor tensor) {
        return (tensor.dim() > 1 || LoraConfig.isAdapter(name)) && !name.endsWith(".bias");
    }

    /** All values, {@code [count]} 32-bit floats; whoever changes them calls {@link #valuesChanged}. */
    public Tensor values() {
        return buffers.get(VALUES);
    }

    /** All gradients, {@code [count]} 32-bit floats. */
    public Tensor gradients() {
        return buffers.get(GRADIENTS);
    }

    /** What the network reads, {@code [count]} in its type: {@link #values} themselves or their copy in 16 bits. */
    public Tensor compute() {
        Tensor copy = buffers.find(COPY);
        return copy == null ? values() : copy;
    }

    /** Rounds the values to the type that the network reads; does nothing where it reads the values themselves. */
    public void valuesChanged() {
        Tensor copy = buffers.find(COPY);
        if (copy != null) {
            try (NoGradGuard guard = new NoGradGuard()) {
                copy.copy_(values());
            }
        }
    }

    /** The trainable tensors by canonical name; views of {@link #values}. */
    public Map<String, Tensor> views() {
        return views;
    }

    /** The trainable tensors as the network reads them, by canonical name; views of {@link #compute}. */
    public Map<String, Tensor> leaves() {
        return leaves;
    }

    /** Segments with settings of their own. */
    public List<Group> groups() {
        return groups;
    }

    /** Sets the gradients to zero. */
    public void zeroGradients() {
        gradients().zero_();
    }

    /**
     * Global norm of the gradients; where a largest norm is given and exceeded, they are scaled down to it.
     *
     * @param maxNorm 0 for no clipping
     * @return the norm before clipping
     */
    public double clipGradients(double maxNorm) {
        double norm = gradientNorm();
        if (maxNorm > 0) {
            double scale = maxNorm / (norm + 1e-6);
            if (scale < 1) {
                gradients().mul_(Tensors.scalar(scale));
            }
        }
        return norm;
    }

    /** Summed by chunks: one 32-bit sum over the whole buffer would lose a digit for every factor of ten in size. */
    private double gradientNorm() {
        long whole = gradients().numel() / NORM_CHUNK * NORM_CHUNK;
        Tensor chunks = gradients()
                .narrow(0, 0, whole)
                .view(whole / NORM_CHUNK, NORM_CHUNK)
                .norm(new ScalarOptional(Tensors.scalar(2)), 1);
        Tensor remainder =
                gradients().narrow(0, whole, gradients().numel() - whole).norm();
        return Tensors.cat(0, chunks, remainder.view(1))
                .to(torch.ScalarType.Double)
                .norm()
                .item_double();
    }

    @Override
    public void close() {
        buffers.close();
    }
}
