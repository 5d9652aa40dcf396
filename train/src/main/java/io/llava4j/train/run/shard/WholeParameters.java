package io.llava4j.train.run.shard;

import io.llava4j.model.PassListener;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.collective.ProcessGroup;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * All trainable tensors, one after the other in one buffer of 32-bit floats, with their gradients in a second one. In 32-bit
 * training the network's weights are views of the first buffer. In bf16 they are views of a third, the compute copy.
 */
public final class WholeParameters extends ParameterBuffers {
    private final Map<String, Tensor> views = new LinkedHashMap<>();
    private final ProcessGroup group;
    private final ParameterShare share;
    private final List<ParameterShare.Piece> written;
    private final GradientExchange exchange;

    /**
     * Moves the trainable weights into one buffer.
     *
     * @param weights all tensors; trainable ones, in 32-bit floats, are replaced by views
     * @param type the network reads them in
     * @param group processes that sum their gradients
     */
    public WholeParameters(Weights weights, ParameterLayout layout, torch.ScalarType type, ProcessGroup group) {
        this.group = group;
        this.share = ParameterShare.whole(layout);
        this.written = ParameterShare.part(group.rank(), layout);
        boolean narrow = type != torch.ScalarType.Float;
        Tensor like = weights.get(layout.tensors().keySet().iterator().next());
        allocate(layout.count(), like.options());
        Tensor read = narrow ? allocateCopy(like.options(), type) : values();
        layout.tensors().forEach((name, place) -> {
            Tensor view = place.of(values()).detach();
            view.copy_(weights.get(name));
            Tensor leaf = narrow ? place.of(read).detach() : view;
            if (narrow) {
                leaf.copy_(weights.get(name));
                keep("view of " + name, view);
            }
            leaf.set_requires_grad(true);
            leaf.mutable_grad().put(place.of(gradients()));
            weights.put(name, leaf);
            views.put(name, view);
            leaves().put(name, leaf);
        });
        this.exchange = new GradientExchange(group, layout, gradients());
    }

    @Override
    public ParameterShare share() {
        return share;
    }

    @Override
    public List<ParameterShare.Piece> written() {
        return written;
    }

    @Override
    public boolean isWhole() {
        return true;
    }

    @Override
    public Map<String, Tensor> views() {
        return views;
    }

    @Override
    public PassListener listener() {
        return exchange.blocks();
    }

    @Override
    public PassListener evaluationListener() {
        return PassListener.NONE;
    }

    @Override
    public void zeroGradients() {
        gradients().zero_();
    }

    @Override
    public void beginMicroBatch(boolean last) {
        exchange.beginMicroBatch(last);
    }

    @Override
    public void skipMicroBatch() {
        exchange.skipMicroBatch();
    }

    @Override
    public void reduceGradients() {
        exchange.finish();
    }

    @Override
    public void valuesChanged() {
        updateCopy();
    }

    @Override
    public <T> T withWeights(Supplier<T> work) {
        return work.get();
    }

    @Override
    public void readOnFirst(Runnable work) {
        group.onFirst(() -> {
            work.run();
            return "";
        });
    }

    @Override
    public void close() {
        exchange.close();
        super.close();
    }
}
