package io.llava4j.checkpoint.layout;

import io.llava4j.CheckpointException;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * A tensor to be written.
 *
 * @param name as it shall stand in the file
 * @param dtype element type
 * @param shape sizes, outermost first; empty for a scalar
 * @param data gives the row-major little-endian elements; called once, when the tensor's turn comes, and what it gives
 *     is not used after the next tensor's turn
 */
public record TensorSource(String name, DType dtype, long[] shape, Supplier<MemorySegment> data) {
    /** The tensor as it is stored elsewhere. */
    public static TensorSource of(TensorEntry entry) {
        return new TensorSource(entry.name(), entry.dtype(), entry.shape(), entry::data);
    }

    /** An F32 tensor of an array; every platform of the engine is little-endian. */
    public static TensorSource of(String name, float[] values, long... shape) {
        return new TensorSource(name, DType.F32, shape, () -> MemorySegment.ofArray(values));
    }

    /**
     * A tensor of floats that are rounded to a floating-point type, to the nearest and ties to even.
     *
     * @param values called once, when the tensor's turn comes
     * @throws CheckpointException when that happens, if the type is none of floating-point numbers or a number is too
     *     large for it
     */
    public static TensorSource rounded(String name, DType dtype, Supplier<float[]> values, long... shape) {
        return new TensorSource(name, dtype, shape, () -> TensorCast.rounded(name, values.get(), dtype));
    }

    /** An I64 tensor of an array. */
    public static TensorSource of(String name, long[] values, long... shape) {
        return new TensorSource(name, DType.I64, shape, () -> MemorySegment.ofArray(values));
    }

    /** The same tensor under another name. */
    public TensorSource withName(String other) {
        return new TensorSource(other, dtype, shape, data);
    }

    /** The same tensor with its data from elsewhere. */
    public TensorSource withData(Supplier<MemorySegment> other) {
        return new TensorSource(name, dtype, shape, other);
    }

    /**
     * Bytes of the data.
     *
     * @throws CheckpointException if the shape is negative or beyond all memory
     */
    public long byteSize() {
        long bytes = dtype.bytes();
        try {
            for (long size : shape) {
                bytes = Math.multiplyExact(bytes, size);
            }
        } catch (ArithmeticException e) {
            bytes = -1;
        }
        if (bytes < 0) {
            throw new CheckpointException(
                    "tensor '%s' has the impossible shape %s".formatted(name, Arrays.toString(shape)));
        }
        return bytes;
    }
}
