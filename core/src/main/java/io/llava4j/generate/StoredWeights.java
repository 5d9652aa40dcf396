package io.llava4j.generate;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.io.MappedMemory;
import io.llava4j.model.cpu.CpuWeights;
import io.llava4j.tensor.format.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Tensors of an open checkpoint in the type that their file has, for the CPU kernels.
 *
 * @param tensors by canonical name
 * @param damaged receives the names of tensors that hold NaN or infinity; blocks are checked where they are packed
 */
record StoredWeights(Map<String, TensorEntry> tensors, Consumer<String> damaged) implements CpuWeights {
    private TensorEntry entry(String name) {
        TensorEntry entry = tensors.get(name);
        if (entry == null) {
            throw new CheckpointException("tensor " + name + " is missing from the model");
        }
        return entry;
    }

    /** The format that {@link #get} gives; the tensor is not read. */
    BlockFormat format(String name) {
        TensorEntry entry = entry(name);
        return isComputedFrom(entry) ? entry.storedFormat() : BlockFormat.F32;
    }

    /** Others become 32-bit floats. */
    private static boolean isComputedFrom(TensorEntry entry) {
        return entry.content() instanceof TensorEntry.Blocks
                || switch (entry.dtype()) {
                    case F32, F16, BF16 -> true;
                    default -> false;
                };
    }

    @Override
    public Stored get(String name) {
        TensorEntry entry = entry(name);
        if (entry.content() instanceof TensorEntry.Blocks) {
            return new Stored(entry.storedFormat(), entry.storedData());
        }
        // Kept, because it may be computed.
        TensorEntry computed = new TensorEntry(name, entry.dtype(), entry.shape(), entry.data());
        if (!computed.isFinite()) {
            damaged.accept(name);
        }
        return isComputedFrom(entry)
                ? new Stored(entry.storedFormat(), computed.data())
                : new Stored(BlockFormat.F32, MemorySegment.ofArray(computed.toFloats()));
    }

    @Override
    public void release(Stored stored) {
        MappedMemory.release(stored.rows());
    }
}
