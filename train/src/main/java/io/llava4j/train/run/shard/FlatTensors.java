package io.llava4j.train.run.shard;

import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.collective.Rank;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Storage;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Tensors of one type, one after the other, with as much padding at the end as gives every process an equal share. Their
 * memory comes and goes: the tensors, their views and the graphs that hold these stay, and find what they need at the same
 * places of the memory that is there. Whoever reads them without memory crashes.
 */
final class FlatTensors implements AutoCloseable {
    private static final String FLAT = "flat";

    private final Map<String, Long> offsets = new LinkedHashMap<>();
    private final Weights tensors = new Weights();
    private final TensorOptions options;
    private final Rank rank;
    private final long length;
    private @Nullable Tensor memory;

    /**
     * Tensors without memory.
     *
     * @param shapes by name, in order
     * @param options of their memory: type and device
     * @param rank this process
     */
    FlatTensors(Map<String, long[]> shapes, TensorOptions options, Rank rank) {
        this.rank = rank;
        long end = 0;
        for (Map.Entry<String, long[]> shape : shapes.entrySet()) {
            offsets.put(shape.getKey(), end);
            end += elements(shape.getValue());
        }
        this.length = Math.ceilDiv(end, rank.worldSize()) * rank.worldSize();
        this.options = options.retainReference();
        Tensor flat = torch.empty(new long[] {length}, options, new MemoryFormatOptional());
        tensors.put(FLAT, flat);
        shapes.forEach((name, shape) -> tensors.put(
                name, flat.narrow(0, offset(name), elements(shape)).view(shape).detach()));
        detach();
    }

    private static long elements(long[] shape) {
        long elements = 1;
        for (long size : shape) {
            elements *= size;
        }
        return elements;
    }

    /** Elements with the padding. */
    long length() {
        return length;
    }

    /** Elements of a process's share. */
    long shareLength() {
        return length / rank.worldSize();
    }

    /** Type of the tensors. */
    torch.ScalarType type() {
        return Tensors.type(tensors.get(FLAT));
    }

    /** First element of this process's share. */
    long shareOffset() {
        return shareLength() * rank.rank();
    }

    /** First element of a tensor. */
    long offset(String name) {
        return offsets.getOrDefault(name, 0L);
    }

    /** Names of the tensors, in order. */
    Set<String> names() {
        return offsets.keySet();
    }

    /** The tensor of a name; outlives scopes. */
    Tensor tensor(String name) {
        return tensors.get(name);
    }

    /** Whether the tensors have memory. */
    boolean isAttached() {
        return memory != null;
    }

    /** The memory, {@code [length]}. */
    Tensor memory() {
        if (memory == null) {
            throw new IllegalStateException("the tensors have no memory now");
        }
        return memory;
    }

    /** New memory for these tensors, which no scope frees or keeps; whoever asks for it attaches or releases it. */
    Tensor allocate() {
        try (PointerScope scope = new PointerScope()) {
            return torch.empty(new long[] {length}, options, new MemoryFormatOptional())
                    .retainReference();
        }
    }

    /** Zeros of the tensors' type, {@code [length]}. */
    Tensor zeros(long elements) {
        return torch.zeros(new long[] {elements}, options);
    }

    /** Gives the tensors memory of {@link #allocate}, and its elements with it. */
    void attach(Tensor allocated) {
        try (Storage storage = tensors.get(FLAT).storage();
                Pointer data = allocated.data_ptr()) {
            storage.unsafeGetStorageImpl().UniqueStorageShareExternalPointer(data, length * allocated.element_size());
        }
        memory = allocated;
    }

    /** Takes the memory from the tensors; the caller releases it. */
    Tensor take() {
        Tensor taken = memory();
        detach();
        return taken;
    }

    private void detach() {
        try (Storage storage = tensors.get(FLAT).storage()) {
            storage.unsafeGetStorageImpl().UniqueStorageShareExternalPointer((Pointer) null, 0);
        }
        memory = null;
    }

    @Override
    public void close() {
        if (memory != null) {
            take().releaseReference();
        }
        tensors.close();
        options.releaseReference();
    }
}
