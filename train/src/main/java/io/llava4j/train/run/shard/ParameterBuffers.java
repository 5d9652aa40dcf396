package io.llava4j.train.run.shard;

import io.llava4j.model.PassListener;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Where the trainable tensors of a process lie with their gradients: all of them, or its shares. */
public abstract sealed class ParameterBuffers implements AutoCloseable permits WholeParameters, ShardedParameters {
    private static final String VALUES = "values";
    private static final String GRADIENTS = "gradients";
    private static final String COPY = "compute copy";

    private final Weights buffers = new Weights();
    private final Map<String, Tensor> leaves = new LinkedHashMap<>();

    /**
     * Allocates {@link #values} and {@link #gradients}, of zeros.
     *
     * @param options of 32-bit floats
     */
    final void allocate(long length, TensorOptions options) {
        buffers.put(VALUES, torch.zeros(new long[] {length}, options));
        buffers.put(GRADIENTS, torch.zeros(new long[] {length}, options));
    }

    /** Allocates a copy of the values in another type, of zeros. */
    final Tensor allocateCopy(TensorOptions options, torch.ScalarType type) {
        buffers.put(COPY, torch.zeros(new long[] {values().numel()}, options.dtype(Tensors.optionalType(type))));
        return buffers.get(COPY);
    }

    /** The copy of the values in another type; null if there is none. */
    final @Nullable Tensor copy() {
        return buffers.find(COPY);
    }

    /** Keeps a tensor until {@link #close}. */
    final void keep(String name, Tensor tensor) {
        buffers.put(name, tensor);
    }

    /** Rounds the values to the copy, if there is one. */
    final void updateCopy() {
        Tensor copy = copy();
        if (copy != null) {
            try (NoGradGuard guard = new NoGradGuard()) {
                copy.copy_(values());
            }
        }
    }

    /** The elements of {@link #values} and {@link #gradients}. */
    public abstract ParameterShare share();

    /** Those of them that this process writes into a state of the run. */
    public abstract List<ParameterShare.Piece> written();

    /** Whether {@link #values} are all parameters, as they are on the other processes. */
    public abstract boolean isWhole();

    /** The values that this process moves, 32-bit floats; whoever changes them calls {@link #valuesChanged}. */
    public final Tensor values() {
        return buffers.get(VALUES);
    }

    /** Their gradients, 32-bit floats. */
    public final Tensor gradients() {
        return buffers.get(GRADIENTS);
    }

    /** The trainable tensors as the network reads them, by canonical name. */
    public final Map<String, Tensor> leaves() {
        return leaves;
    }

    /** The trainable tensors in 32-bit floats, or {@link #leaves} where {@link #values} are a share. */
    public abstract Map<String, Tensor> views();

    /** Follows the passes of training. */
    public abstract PassListener listener();

    /**
     * Follows passes without gradients; every process has as many of them. A process without samples calls
     * {@link PassListener#before} and {@link PassListener#afterForward} of all parts, the head included.
     */
    public abstract PassListener evaluationListener();

    /** Sets the gradients to zero. */
    public abstract void zeroGradients();

    /** A micro-batch of this process begins; every process has as many in a step, with samples or without. */
    public abstract void beginMicroBatch(boolean last);

    /** The micro-batch that began has no samples on this process; what its pass would have exchanged is exchanged. */
    public abstract void skipMicroBatch();

    /** Completes the sums of the gradients of a step over all processes. */
    public abstract void reduceGradients();

    /** Gives the network the changed values. */
    public abstract void valuesChanged();

    /**
     * Runs what needs all weights of the network at once, on rank 0; elsewhere they may be missing. Called by all processes at
     * the same time.
     */
    public abstract <T> T withWeights(Supplier<T> work);

    /**
     * Runs on rank 0 what reads the network's weights one after the other ({@link io.llava4j.tensor.Weights#read}); called
     * by all processes at the same time, and fails on all where it fails on rank 0.
     */
    public abstract void readOnFirst(Runnable work);

    @Override
    public void close() {
        buffers.close();
    }
}
