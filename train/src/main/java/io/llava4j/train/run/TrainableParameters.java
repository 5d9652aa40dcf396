package io.llava4j.train.run;

import io.llava4j.model.PassListener;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.collective.ProcessGroup;
import io.llava4j.train.run.shard.ParameterBuffers;
import io.llava4j.train.run.shard.ParameterLayout;
import io.llava4j.train.run.shard.ParameterShare;
import io.llava4j.train.run.shard.ShardedParameters;
import io.llava4j.train.run.shard.Sharding;
import io.llava4j.train.run.shard.WholeParameters;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * The trainable tensors, with the values that this process moves in one buffer of 32-bit floats and their gradients in a second
 * one, so that the optimiser, clipping, checkpoints and exchanges between processes are a few operations on whole buffers.
 *
 * <p>In 32-bit training the network reads these values. In bf16 it reads a copy in 16 bits, while the optimiser moves the
 * 32-bit values (the master copy) and rounds them again after every step. Gradients are summed over micro-batches in 32-bit
 * floats in either case: the engine adds a weight's 16-bit gradient of one micro-batch to the 32-bit buffer that stands in
 * for the weight's own.
 */
public class TrainableParameters implements AutoCloseable {
    private static final int NORM_CHUNK = 4096;

    private final ParameterLayout layout;
    private final ProcessGroup group;
    private final ParameterBuffers buffers;

    /**
     * How processes share the parameters.
     *
     * @param group processes that train the same network and sum their gradients
     * @param sharding what each holds a part of
     * @param device of the shares; parameters that are not shared stay where they are
     */
    public record Sharing(ProcessGroup group, Sharding sharding, String device) {
        /** One process has all. */
        public static final Sharing NONE = new Sharing(ProcessGroup.alone(), Sharding.NONE, "cpu");

        /** Whether each process holds less than all of what is trained. */
        public boolean isShared() {
            return sharding != Sharding.NONE && group.size() > 1;
        }

        /** Whether frozen weights are shared as well. */
        public boolean isFull() {
            return sharding == Sharding.FULL && group.size() > 1;
        }
    }

    /** {@link #TrainableParameters(Weights, Predicate, ComputePrecision, Sharing)} of one process in 32-bit floats. */
    public TrainableParameters(Weights weights, Predicate<String> trainable) {
        this(weights, trainable, ComputePrecision.FP32, Sharing.NONE);
    }

    /**
     * Moves the chosen weights; must come before the network is built on them.
     *
     * @param weights all tensors, where processes share them also in their files; trainable ones, in 32-bit floats, are
     *     replaced, as are all where processes share these
     * @param trainable chooses by canonical name
     * @param precision whose type the network reads them in
     * @param sharing how processes share them
     */
    public TrainableParameters(
            Weights weights, Predicate<String> trainable, ComputePrecision precision, Sharing sharing) {
        this.layout = ParameterLayout.of(weights, trainable);
        this.group = sharing.group();
        torch.ScalarType type = Tensors.type(precision);
        this.buffers = sharing.isShared()
                ? new ShardedParameters(
                        weights,
                        layout,
                        new TensorOptions(Tensors.FLOAT).device(new DeviceOptional(Engine.device(sharing.device()))),
                        type,
                        group,
                        sharing.sharding())
                : new WholeParameters(weights, layout, type, group);
    }

    /** Where each tensor lies among all. */
    public ParameterLayout layout() {
        return layout;
    }

    /** The elements that this process moves: all, or its share. */
    ParameterShare share() {
        return buffers.share();
    }

    /** Those of them that this process writes into a state of the run. */
    List<ParameterShare.Piece> written() {
        return buffers.written();
    }

    /** Processes that train the same network. */
    ProcessGroup group() {
        return group;
    }

    /** Follows the passes whose gradients are summed over processes. */
    public PassListener listener() {
        return buffers.listener();
    }

    /** Follows passes without gradients, of which every process has as many. */
    PassListener evaluationListener() {
        return buffers.evaluationListener();
    }

    /** A micro-batch of this process begins; every process has as many in a step, with samples or without. */
    void beginMicroBatch(boolean last) {
        buffers.beginMicroBatch(last);
    }

    /** The micro-batch that began has no samples on this process; what its pass would have exchanged is exchanged. */
    void skipMicroBatch() {
        buffers.skipMicroBatch();
    }

    /** Completes the sums of the gradients of a step over all processes. */
    void reduceGradients() {
        buffers.reduceGradients();
    }

    /** Runs what needs all weights of the network at once, on rank 0; called by all processes at the same time. */
    <T> T withWeights(Supplier<T> work) {
        return buffers.withWeights(work);
    }

    /** Runs on rank 0 what reads the network's weights one after the other; called by all processes at the same time. */
    void readOnFirst(Runnable work) {
        buffers.readOnFirst(work);
    }

    /** The values that this process moves, 32-bit floats; whoever changes them calls {@link #valuesChanged}. */
    public Tensor values() {
        return buffers.values();
    }

    /** Their gradients, 32-bit floats. */
    public Tensor gradients() {
        return buffers.gradients();
    }

    /** Gives the network the changed values, in its type. */
    public void valuesChanged() {
        buffers.valuesChanged();
    }

    /** The trainable tensors by canonical name: views of {@link #values}, or {@link #leaves} where these are a share. */
    public Map<String, Tensor> views() {
        return buffers.views();
    }

    /** The trainable tensors as the network reads them, by canonical name. */
    public Map<String, Tensor> leaves() {
        return buffers.leaves();
    }

    /** Segments with settings of their own. */
    public List<ParameterLayout.Group> groups() {
        return buffers.share().groups(layout);
    }

    /** Sets the gradients to zero. */
    public void zeroGradients() {
        buffers.zeroGradients();
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
        if (buffers.isWhole()) {
            return norms.norm().item_double();
        }
        Tensor sum = norms.mul(norms).sum().view(1);
        group.allReduce(sum);
        return Math.sqrt(sum.item_double());
    }

    @Override
    public void close() {
        buffers.close();
    }
}
