package io.llava4j.train.run.shard;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.model.PassListener;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.collective.ProcessGroup;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Tensors that are gathered together and whose gradients are summed together: a block of the language model, its head, the
 * token embeddings, the projector, the vision tower.
 */
final class Unit implements AutoCloseable {
    /** Blocks of the language model, by the names of their tensors. */
    private static final Pattern BLOCK = Pattern.compile("model\\.layers\\.(\\d+)\\..*");

    /**
     * The unit that a tensor belongs to.
     *
     * @param name a prefix of its tensors
     * @param part of the network, as {@link PassListener} counts them
     */
    record Key(String name, int part) {
        /** @param blocks number of blocks of the language model */
        static Key of(String tensor, int blocks) {
            int block = block(tensor);
            if (block >= 0) {
                return new Key(CanonicalNames.LAYERS + block, block);
            }
            if (tensor.equals(CanonicalNames.NORM) || tensor.equals(CanonicalNames.LM_HEAD)) {
                return new Key(CanonicalNames.LM_HEAD, blocks);
            }
            String prefix = tensor.startsWith(CanonicalNames.TOWER)
                    ? CanonicalNames.TOWER
                    : tensor.startsWith(CanonicalNames.PROJECTOR)
                            ? CanonicalNames.PROJECTOR
                            : CanonicalNames.EMBED_TOKENS;
            return new Key(prefix, PassListener.INPUTS);
        }
    }

    /** Number of the block that a tensor belongs to; -1 for none. */
    static int block(String tensor) {
        Matcher matcher = BLOCK.matcher(tensor);
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : -1;
    }

    private final Key key;
    private final ProcessGroup group;
    private final @Nullable FlatTensors trained;
    private final @Nullable FlatTensors gradients;
    private final List<FlatTensors> frozen = new ArrayList<>();

    /** What is gathered, and from which share; none where all processes hold all weights. */
    private final Map<FlatTensors, Tensor> shares = new LinkedHashMap<>();

    private final List<Gathering> running = new ArrayList<>();

    /** Memory of tensors that is being filled. */
    private record Gathering(FlatTensors tensors, Tensor memory, CompletableFuture<Void> exchange) {}

    /**
     * A unit whose tensors have no memory yet.
     *
     * @param weights by canonical name
     * @param trainable its trainable tensors
     * @param others its frozen ones, if these are shared too
     * @param options device of all, and the type in which the network reads the trainable ones
     */
    Unit(
            Key key,
            ProcessGroup group,
            Weights weights,
            List<String> trainable,
            List<String> others,
            TensorOptions options) {
        this.key = key;
        this.group = group;
        this.trained = trainable.isEmpty() ? null : flat(weights, trainable, options);
        this.gradients = trainable.isEmpty()
                ? null
                : flat(weights, trainable, options.dtype(Tensors.optionalType(torch.ScalarType.Float)));
        Map<torch.ScalarType, List<String>> byType = new LinkedHashMap<>();
        others.forEach(name -> byType.computeIfAbsent(Tensors.type(weights.get(name)), type -> new ArrayList<>())
                .add(name));
        byType.forEach((type, names) -> frozen.add(flat(weights, names, options.dtype(Tensors.optionalType(type)))));
    }

    private FlatTensors flat(Weights weights, List<String> names, TensorOptions options) {
        Map<String, long[]> shapes = new LinkedHashMap<>();
        names.forEach(name -> shapes.put(name, Tensors.shape(weights.get(name))));
        return new FlatTensors(shapes, options, group.rank());
    }

    Key key() {
        return key;
    }

    /** The trainable tensors; null if there are none. */
    @Nullable
    FlatTensors trained() {
        return trained;
    }

    /** Their gradients, 32-bit floats; null if there are none. */
    @Nullable
    FlatTensors gradients() {
        return gradients;
    }

    /** Keeps this process's share of the frozen weights, and puts the gathered tensors in their places. */
    void moveFrozen(Weights weights) {
        for (FlatTensors tensors : frozen) {
            long length = tensors.shareLength();
            ParameterShare own =
                    new ParameterShare(List.of(new ParameterShare.Piece(tensors.shareOffset(), length, 0)), length);
            Tensor share = tensors.zeros(length);
            for (String name : tensors.names()) {
                Engine.scope("loading " + name, () -> {
                    own.copy(weights.read(name), tensors.offset(name), share);
                    return null;
                });
                weights.put(name, tensors.tensor(name));
            }
            gathersFrom(tensors, share);
        }
    }

    /** Has tensors gathered from now on. */
    void gathersFrom(FlatTensors tensors, Tensor share) {
        shares.put(tensors, share.retainReference());
    }

    /** Begins to gather the weights, unless they are here or on their way. */
    void prefetch() {
        if (!running.isEmpty()) {
            return;
        }
        shares.forEach((tensors, share) -> {
            if (!tensors.isAttached()) {
                Tensor memory = tensors.allocate();
                running.add(new Gathering(tensors, memory, group.allGatherAsync(memory, share)));
            }
        });
    }

    /** Gathers the weights, or waits until they are here. */
    void gather() {
        prefetch();
        for (Gathering gathering : running) {
            ProcessGroup.join(gathering.exchange());
            gathering.tensors().attach(gathering.memory());
        }
        running.clear();
    }

    /** Whether all weights are here. */
    boolean isGathered() {
        return shares.keySet().stream().allMatch(FlatTensors::isAttached);
    }

    /** Frees the gathered weights. */
    void release() {
        for (FlatTensors tensors : shares.keySet()) {
            if (tensors.isAttached()) {
                tensors.take().releaseReference();
            }
        }
    }

    @Override
    public void close() {
        running.forEach(gathering -> gathering.memory().releaseReference());
        shares.values().forEach(Tensor::releaseReference);
        frozen.forEach(FlatTensors::close);
        if (trained != null) {
            trained.close();
        }
        if (gradients != null) {
            gradients.close();
        }
    }
}
