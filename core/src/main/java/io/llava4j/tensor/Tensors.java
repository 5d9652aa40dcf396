package io.llava4j.tensor;

import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Bridges Java arrays and tensors, and wraps the few engine calls that are unwieldy. */
public final class Tensors {
    /** Type of 32-bit floats. */
    public static final torch.ScalarType FLOAT = torch.ScalarType.Float;

    private Tensors() {}

    /** A tensor with shape and type but without elements, which takes no memory. */
    public static Tensor withoutElements(torch.ScalarType type, long... shape) {
        return torch.empty(
                shape,
                new TensorOptions(type).device(new DeviceOptional(new Device(torch.DeviceType.Meta))),
                new MemoryFormatOptional());
    }

    /** A tensor with a copy of {@code values}. */
    public static Tensor of(float[] values, long... shape) {
        return Tensor.create(values, shape);
    }

    /** A tensor with a copy of {@code values}. */
    public static Tensor of(long[] values, long... shape) {
        return Tensor.create(values, shape);
    }

    /** A tensor with a copy of {@code values} as 64-bit integers. */
    public static Tensor ofInts(int[] values, long... shape) {
        long[] longs = new long[values.length];
        for (int i = 0; i < values.length; i++) {
            longs[i] = values[i];
        }
        return Tensor.create(longs, shape);
    }

    /** Copies a tensor of any floating type and device to a Java array. */
    public static float[] toFloats(Tensor tensor) {
        try (Tensor copy = tensor.detach().to(torch.ScalarType.Float).cpu().contiguous();
                FloatPointer data = copy.data_ptr_float()) {
            float[] values = new float[Math.toIntExact(copy.numel())];
            data.get(values);
            return values;
        }
    }

    /** Copies an integer tensor to a Java array. */
    public static long[] toLongs(Tensor tensor) {
        try (Tensor copy = tensor.detach().to(torch.ScalarType.Long).cpu().contiguous();
                LongPointer data = copy.data_ptr_long()) {
            long[] values = new long[Math.toIntExact(copy.numel())];
            data.get(values);
            return values;
        }
    }

    /** Type of a tensor's elements, as the constant that can be compared; the engine's own answer is a copy of it. */
    public static torch.ScalarType type(Tensor tensor) {
        return tensor.scalar_type().intern();
    }

    /** Sizes of a tensor, outermost first. */
    public static long[] shape(Tensor tensor) {
        long[] shape = new long[Math.toIntExact(tensor.dim())];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = tensor.size(i);
        }
        return shape;
    }

    /** Type of weights and activations of a precision. */
    public static torch.ScalarType type(ComputePrecision precision) {
        return precision == ComputePrecision.BF16 ? torch.ScalarType.BFloat16 : FLOAT;
    }

    /** The precision whose type a tensor has; {@link ComputePrecision#FP32} for a tensor of 32-bit floats. */
    public static ComputePrecision precision(Tensor tensor) {
        return type(tensor) == torch.ScalarType.BFloat16 ? ComputePrecision.BF16 : ComputePrecision.FP32;
    }

    /** Concatenates along a dimension. */
    public static Tensor cat(long dimension, Tensor... parts) {
        return parts.length == 1 ? parts[0] : torch.cat(new TensorVector(parts), dimension);
    }

    /**
     * A tensor over off-heap memory, without a copy.
     *
     * @param data row-major elements of the machine's byte order, aligned to their size; must stay valid. It may be read-only:
     *     the tensor must never be written to
     * @param type of the elements
     */
    public static Tensor over(MemorySegment data, torch.ScalarType type, long... shape) {
        return torch.from_blob(new Address(data.address()), shape, new TensorOptions(type));
    }

    /**
     * A tensor with a copy of on-heap or off-heap memory.
     *
     * @param data row-major elements of the machine's byte order
     * @param type of the elements
     */
    public static Tensor copyOf(MemorySegment data, torch.ScalarType type, long... shape) {
        Tensor copy = torch.empty(shape, new TensorOptions(type), new MemoryFormatOptional());
        try (Pointer memory = copy.data_ptr()) {
            MemorySegment.ofAddress(memory.address())
                    .reinterpret(data.byteSize())
                    .copyFrom(data);
        }
        return copy;
    }

    /**
     * The elements of a tensor of the CPU, without a copy; valid as long as the tensor.
     *
     * @param tensor contiguous 32-bit floats
     */
    public static MemorySegment memory(Tensor tensor) {
        try (Pointer data = tensor.data_ptr()) {
            return MemorySegment.ofAddress(data.address()).reinterpret(tensor.numel() * Float.BYTES);
        }
    }

    /** A pointer to an address; only subclasses of the engine's pointers can set it. */
    private static final class Address extends Pointer {
        Address(long address) {
            super((Pointer) null);
            this.address = address;
        }
    }

    /** An operand that may be absent, in the engine's type. */
    public static TensorOptional optional(@Nullable Tensor tensor) {
        return tensor == null ? new TensorOptional() : new TensorOptional(tensor);
    }

    /** An element type that may be absent, in the engine's type. */
    public static ScalarTypeOptional optionalType(torch.ScalarType type) {
        return new ScalarTypeOptional(type);
    }

    /** A whole number in the engine's type. */
    public static Scalar whole(long value) {
        return new Scalar(value);
    }

    /** A number in the engine's type. */
    public static Scalar scalar(double value) {
        return new Scalar(value);
    }
}
