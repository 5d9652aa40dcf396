package io.llava4j.train.run;

import io.llava4j.model.BlockListener;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.run.shard.Sharding;
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
public class TrainableParameters implements AutoCloseable {
    private static final int NORM_CHUNK = 4096;
    private static final String VALUES = "values";
    private static final String GRADIENTS = "gradients";
    private static final String ALL_GRADIENTS = "gradients of all";
    private static final String COPY = "compute copy";

    private final Weights buffers = new Weights();
    private final Map<String, Tensor> views = new LinkedHashMap<>();
    private final Map<String, Tensor> leaves = new LinkedHashMap<>();
    private final ParameterLayout layout;
    private final ProcessGroup group;
    private final ParameterShare share;
    private final GradientExchange exchange;

    /** {@link #TrainableParameters(Weights, Predicate, ComputePrecision, ProcessGroup, Sharding)} of one process in 32-bit floats. */
    public TrainableParameters(Weights weights, Predicate<String> trainable) {
        this(weights, trainable, ComputePrecision.FP32, ProcessGroup.alone(), Sharding.NONE);
    }

    /**
     * Moves the chosen weights into one buffer; must come before the network is built on them.
     *
     * @param weights all tensors; trainable ones, in 32-bit floats, are replaced by views
     * @param trainable chooses by canonical name
     * @param precision whose type the network reads them in
     * @param group processes that train the same network and sum their gradients
     * @param sharding whether each process moves its part of the values only
     */
    public TrainableParameters(
            Weights weights,
            Predicate<String> trainable,
            ComputePrecision precision,
            ProcessGroup group,
            Sharding sharding) {
        this.layout = ParameterLayout.of(weights, trainable);
        this.group = group;
        boolean isWhole = sharding == Sharding.NONE || group.size() == 1;
        this.share = isWhole ? ParameterShare.whole(layout) : ParameterShare.of(group.rank(), layout);
        long[] all = {isWhole ? layout.count() : share.length() * group.size()};
        Tensor like = weights.get(layout.tensors().keySet().iterator().next());
        buffers.put(VALUES, torch.zeros(new long[] {share.length()}, like.options()));
        buffers.put(ALL_GRADIENTS, torch.zeros(all, like.options()));
        buffers.put(GRADIENTS, isWhole ? allGradients() : share.of(allGradients()));
        if (Tensors.type(precision) != torch.ScalarType.Float || !isWhole) {
            buffers.put(COPY, torch.zeros(all, like.options().dtype(Tensors.optionalType(Tensors.type(precision)))));
        }
        layout.tensors().forEach((name, place) -> {
            share.copy(weights.get(name), place, values());
            Tensor leaf = place.of(compute()).detach();
            leaf.copy_(weights.get(name));
            leaf.set_requires_grad(true);
            leaf.mutable_grad().put(place.of(allGradients()));
            weights.put(name, leaf);
            leaves.put(name, leaf);
            if (Tensors.type(precision) == torch.ScalarType.Float || !isWhole) {
                views.put(name, leaf);
            } else {
                Tensor view = place.of(values());
                buffers.put("view of " + name, view);
                views.put(name, view);
            }
        });
        // Gradients of shares go out together when the pass is over.
        this.exchange = new GradientExchange(isWhole ? group : ProcessGroup.alone(), layout, gradients());
    }

    /** Where each tensor lies among all. */
    public ParameterLayout layout() {
        return layout;
    }

    /** The elements that this process moves: all, or its share. */
    ParameterShare share() {
        return share;
    }

    /** Processes that train the same network. */
    ProcessGroup group() {
        return group;
    }

    private boolean isWhole() {
        return share.length() == layout.count();
    }

    private Tensor allGradients() {
        return buffers.get(ALL_GRADIENTS);
    }

    /** Follows the passes whose gradients are summed over processes. */
    public BlockListener blocks() {
        return exchange.blocks();
    }

    /** A micro-batch of this process begins; every process has as many in a step, with samples or without. */
    void beginMicroBatch(boolean last) {
        exchange.beginMicroBatch(last);
    }

    /** The micro-batch that began has no samples on this process; what its pass would have exchanged is exchanged. */
    void skipMicroBatch() {
        exchange.skipMicroBatch();
    }

    /** Completes the sums of the gradients of a step over all processes. */
    void reduceGradients() {
        exchange.finish();
        if (!isWhole()) {
            group.reduceScatter(gradients(), allGradients());
        }
    }

    /** The values that this process moves, 32-bit floats; whoever changes them calls {@link #valuesChanged}. */
    public Tensor values() {
        return buffers.get(VALUES);
    }

    /** Their gradients, 32-bit floats. */
    public Tensor gradients() {
        return buffers.get(GRADIENTS);
    }

    /** What the network reads, in its type: {@link #values} themselves or a copy, in 16 bits or of all processes' values. */
    public Tensor compute() {
        Tensor copy = buffers.find(COPY);
        return copy == null ? values() : copy;
    }

    /**
     * Rounds the values to the type that the network reads, and collects those of the other processes; does nothing where the
     * network reads the values themselves.
     */
    public void valuesChanged() {
        Tensor copy = buffers.find(COPY);
        if (copy == null) {
            return;
        }
        try (NoGradGuard guard = new NoGradGuard()) {
            Tensor own = isWhole() ? copy : share.of(copy);
            own.copy_(values());
            if (!isWhole()) {
                group.allGather(copy, own.clone());
            }
        }
    }

    /** The trainable tensors by canonical name: views of {@link #values}, or {@link #leaves} where these are a share. */
    public Map<String, Tensor> views() {
        return views;
    }

    /** The trainable tensors as the network reads them, by canonical name; views of {@link #compute}. */
    public Map<String, Tensor> leaves() {
        return leaves;
    }

    /** Segments with settings of their own. */
    public List<ParameterLayout.Group> groups() {
        return share.groups(layout);
    }

    /** Sets the gradients to zero. */
    public void zeroGradients() {
        allGradients().zero_();
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
        Tensor norms = Tensors.cat(0, chunks, remainder.view(1)).to(torch.ScalarType.Double);
        if (isWhole()) {
            return norms.norm().item_double();
        }
        Tensor sum = norms.mul(norms).sum().view(1);
        group.allReduce(sum);
        return Math.sqrt(sum.item_double());
    }

    @Override
    public void close() {
        exchange.close();
        buffers.close();
    }
}
