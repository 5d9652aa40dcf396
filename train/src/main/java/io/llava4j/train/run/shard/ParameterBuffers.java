package io.llava4j.train.run.shard;

import io.llava4j.model.PassListener;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;

/** Where the trainable tensors of a process lie with their gradients: all of them, or its shares. */
public sealed interface ParameterBuffers extends AutoCloseable permits WholeParameters, ShardedParameters {
    /** The elements of {@link #values} and {@link #gradients}. */
    ParameterShare share();

    /** Those of them that this process writes into a state of the run. */
    List<ParameterShare.Piece> written();

    /** Whether {@link #values} are all parameters, as they are on the other processes. */
    boolean isWhole();

    /** The values that this process moves, 32-bit floats; whoever changes them calls {@link #valuesChanged}. */
    Tensor values();

    /** Their gradients, 32-bit floats. */
    Tensor gradients();

    /** The trainable tensors as the network reads them, by canonical name. */
    Map<String, Tensor> leaves();

    /** The trainable tensors in 32-bit floats, or {@link #leaves} where {@link #values} are a share. */
    Map<String, Tensor> views();

    /** Follows the passes of training. */
    PassListener listener();

    /**
     * Follows passes without gradients; every process has as many of them. A process without samples calls
     * {@link PassListener#before} and {@link PassListener#afterForward} of all parts, the head included.
     */
    PassListener evaluationListener();

    /** Sets the gradients to zero. */
    void zeroGradients();

    /** A micro-batch of this process begins; every process has as many in a step, with samples or without. */
    void beginMicroBatch(boolean last);

    /** The micro-batch that began has no samples on this process; what its pass would have exchanged is exchanged. */
    void skipMicroBatch();

    /** Completes the sums of the gradients of a step over all processes. */
    void reduceGradients();

    /** Gives the network the changed values. */
    void valuesChanged();

    /**
     * Runs what needs all weights of the network at once, on rank 0; elsewhere they may be missing. Called by all processes at
     * the same time.
     */
    <T> T withWeights(Supplier<T> work);

    /**
     * Runs on rank 0 what reads the network's weights one after the other ({@link io.llava4j.tensor.Weights#read}); called
     * by all processes at the same time, and fails on all where it fails on rank 0.
     */
    void readOnFirst(Runnable work);

    @Override
    void close();
}
