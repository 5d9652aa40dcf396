package io.llava4j.tensor;

import io.llava4j.CheckpointException;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A network's tensors by canonical name ({@code model.layers.0.self_attn.q_proj.weight}, …), kept alive until closed;
 * scopes do not free them.
 */
public final class Weights implements AutoCloseable {
    private final Map<String, Tensor> tensors = new LinkedHashMap<>();
    /** How the elements of tensors that are not in memory are read, by name. */
    private final Map<String, Supplier<Tensor>> stored = new HashMap<>();

    private Runnable release = () -> {};
    private Consumer<String> beforeReading = name -> {};

    /**
     * Sets what to do after the tensors are released.
     *
     * @param action for example unmaps the file under the tensors
     */
    public void onClose(Runnable action) {
        release = action;
    }

    /**
     * Adds a tensor that stays in its file: {@link #get} gives its shape and type, {@link #read} its elements, until another
     * one replaces it.
     *
     * @param like its shape and type ({@link Tensors#withoutElements})
     * @param elements reads it, as a tensor of the current scope; may be called several times
     */
    public void putStored(String name, Tensor like, Supplier<Tensor> elements) {
        put(name, like);
        stored.put(name, elements);
    }

    /** Adds or replaces a tensor; it outlives the current scope. */
    public void put(String name, Tensor tensor) {
        stored.remove(name);
        Tensor previous = tensors.put(name, tensor.retainReference());
        if (previous != null) {
            previous.releaseReference();
        }
    }

    /**
     * The tensor of that name.
     *
     * @throws CheckpointException if there is none
     */
    public Tensor get(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new CheckpointException("tensor " + name + " is missing from the model");
        }
        return tensor;
    }

    /**
     * The tensor of that name, whose elements are read now, outside the network. One that is stored belongs to the current
     * scope.
     *
     * @throws CheckpointException if there is none
     */
    public Tensor read(String name) {
        Supplier<Tensor> elements = stored.get(name);
        if (elements != null) {
            return elements.get();
        }
        beforeReading.accept(name);
        return get(name);
    }

    /** Sets what to do before {@link #read}; for example collects elements that other processes hold. */
    public void beforeReading(Consumer<String> action) {
        beforeReading = action;
    }

    /** The tensor of that name, or null. */
    public @Nullable Tensor find(String name) {
        return tensors.get(name);
    }

    /** Names in the order they were added. */
    public Set<String> names() {
        return Collections.unmodifiableSet(tensors.keySet());
    }

    /**
     * The linear operator of a layer.
     *
     * @param prefix of {@code weight}, {@code [out, in]} or in the blocks of {@link BlockLinear}, and of {@code bias}, {@code [out]}, which may be absent
     * @throws CheckpointException if there is no such weight
     */
    public LinearOperator linear(String prefix) {
        Tensor weight = get(prefix + "weight");
        Tensor bias = find(prefix + "bias");
        return BlockLinear.isBlocks(weight)
                ? new BlockLinear(weight, bias)
                : LinearProvider.instance().create(weight, bias);
    }

    @Override
    public void close() {
        // A loop, because a method reference would load the engine's class even where there are no tensors.
        for (Tensor tensor : tensors.values()) {
            tensor.releaseReference();
        }
        tensors.clear();
        release.run();
        release = () -> {};
    }
}
