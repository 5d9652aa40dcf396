package io.llava4j.model.cpu;

import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;

/** The tensors of a model as their file stores them, by canonical name. */
public interface CpuWeights {
    /**
     * A stored matrix or vector.
     *
     * @param format of the elements
     * @param rows row-major elements or blocks; stays valid as long as the model
     */
    record Stored(BlockFormat format, MemorySegment rows) {}

    /**
     * The tensor of that name.
     *
     * @throws io.llava4j.CheckpointException if there is none
     */
    Stored get(String name);

    /** Says that a tensor was copied and its pages may leave the memory. */
    void release(Stored stored);

    /**
     * The elements of a tensor as 32-bit floats.
     *
     * @throws io.llava4j.CheckpointException if there is none
     */
    default float[] vector(String name, long elements) {
        Stored stored = get(name);
        float[] values = new float[Math.toIntExact(elements)];
        TensorCast.decode(stored.format(), stored.rows(), 0, values.length, values);
        return values;
    }

    /**
     * A matrix in the layout of the kernels.
     *
     * @throws io.llava4j.CheckpointException if there is none, or it is damaged
     */
    default PackedMatrix pack(String name, long out, long in, Workers workers) {
        Stored stored = get(name);
        PackedMatrix packed =
                PackedMatrix.pack(stored.format(), stored.rows(), Math.toIntExact(out), Math.toIntExact(in), workers);
        release(stored);
        return packed;
    }
}
