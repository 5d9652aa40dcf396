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
 * @param name in the file
 * @param dtype element type
 * @param shape sizes, outermost first; empty for a scalar
 * @param data gives the row-major little-endian elements; called once, when the tensor is written. The result is used
 *     until the next tensor is written
 */
public record TensorSource(String name, DType dtype, long[] shape, Supplier<MemorySegment> data) {
    /** A copy of a stored tensor. */
    public static TensorSource of(TensorEntry entry) {
        return new TensorSource(entry.name(), entry.dtype(), entry.shape(), entry::data);
    }

    /** An F32 tensor from an array; every platform of the engine is little-endian. */
    public static TensorSource of(String name, float[] values, long... shape) {
        return new TensorSource(name, DType.F32, shape, () -> MemorySegment.ofArray(values));
    }

    /**
     * A tensor of floats, rounded to a floating-point type: to nearest, ties to even.
     *
     * @param values called once, when the tensor is written
     * @throws CheckpointException when it is written, if the type is no floating-point type or too small for a number
     */
    public static TensorSource rounded(String name, DType dtype, Supplier<float[]> values, long... shape) {
        return new TensorSource(name, dtype, shape, () -> TensorCast.rounded(name, values.get(), dtype));
    }

    /** An I64 tensor from an array. */
    public static TensorSource of(String name, long[] values, long... shape) {
        return new TensorSource(name, DType.I64, shape, () -> MemorySegment.ofArray(values));
    }

    /** The same tensor under another name. */
    public TensorSource withName(String other) {
        return new TensorSource(other, dtype, shape, data);
    }

    /** The same tensor with another supplier of its data. */
    public TensorSource withData(Supplier<MemorySegment> other) {
        return new TensorSource(name, dtype, shape, other);
    }

    /**
     * Size of the data in bytes.
     *
     * @throws CheckpointException if the shape is negative or too large
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
