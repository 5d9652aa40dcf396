package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * The trainable tensors, one after the other in one buffer, with their gradients in a second one. The network's
 * weights are views of the first, so that the optimiser, clipping, checkpoints and exchanges between processes are a
 * few operations on whole buffers.
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

    private final Weights buffers = new Weights();
    private final Map<String, Tensor> views = new LinkedHashMap<>();
    private final List<Group> groups = new ArrayList<>();

    /**
     * Moves the chosen weights into one buffer; must come before the network is built on them.
     *
     * @param weights all tensors; trainable ones are replaced by views
     * @param trainable chooses by canonical name
     */
    public TrainableParameters(Weights weights, Predicate<String> trainable) {
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
        buffers.put("values", torch.zeros(new long[] {offset}, like.options()));
        buffers.put("gradients", torch.zeros(new long[] {offset}, like.options()));
        long at = 0;
        for (int i = 0; i < order.size(); i++) {
            Tensor tensor = tensors.get(i);
            long[] shape = Tensors.shape(tensor);
            Tensor view = values().narrow(0, at, tensor.numel()).view(shape);
            view.copy_(tensor);
            Tensor leaf = view.detach().set_requires_grad(true);
            leaf.mutable_grad().put(gradients().narrow(0, at, tensor.numel()).view(shape));
            at += tensor.numel();
            weights.put(order.get(i), leaf);
            views.put(order.get(i), leaf);
        }
    }

    /** LLaVA's rule: no decay on biases and on the norms' weights, the only tensors of one dimension beside DoRA's lengths. */
    private static boolean decays(String name, Tensor tensor) {
        return (tensor.dim() > 1 || LoraConfig.isAdapter(name)) && !name.endsWith(".bias");
    }

    /** All values, {@code [count]}. */
    public Tensor values() {
        return buffers.get("values");
    }

    /** All gradients, {@code [count]}. */
    public Tensor gradients() {
        return buffers.get("gradients");
    }

    /** The trainable tensors by canonical name; views of {@link #values}. */
    public Map<String, Tensor> views() {
        return views;
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
