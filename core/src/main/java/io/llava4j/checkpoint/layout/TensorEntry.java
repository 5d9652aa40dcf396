package io.llava4j.checkpoint.layout;

import io.llava4j.CheckpointException;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.format.TensorCast;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * A stored tensor. Its data is usually a view of a mapped file, valid until that file is closed.
 *
 * @param name as in the file, or canonical ({@link CanonicalNames})
 * @param dtype element type of {@link #data}
 * @param shape sizes, outermost first; empty for a scalar
 * @param content where the elements come from
 */
public record TensorEntry(String name, DType dtype, long[] shape, Content content) {
    /** How the file holds the elements. */
    public sealed interface Content {}

    /**
     * Elements as they lie in the file.
     *
     * @param data a view of the mapped file: row-major little-endian elements
     */
    public record Stored(MemorySegment data) implements Content {}

    /**
     * Elements that the file holds in another order.
     *
     * @param compute copies them into row-major order; every call does so anew
     */
    public record Derived(Supplier<MemorySegment> compute) implements Content {}

    /**
     * Quantised elements, in blocks along the rows. {@link #data} unpacks them to 32-bit floats.
     *
     * @param format of the blocks
     * @param data gives the row-major blocks: a view of the mapped file, or a copy if the file orders the rows
     *     differently, which every call makes anew
     */
    public record Blocks(BlockFormat format, Supplier<MemorySegment> data) implements Content {}

    /** A tensor that is used as it is stored. */
    public TensorEntry(String name, DType dtype, long[] shape, MemorySegment data) {
        this(name, dtype, shape, new Stored(data));
    }

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** The product of the shape. */
    public long elements() {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    /** Bytes of {@link #data}; quantised tensors take fewer in their file. */
    public long byteSize() {
        return elements() * dtype.bytes();
    }

    /**
     * Element type in the file.
     *
     * @throws CheckpointException if the elements are no floating-point numbers
     */
    public BlockFormat storedFormat() {
        return content instanceof Blocks blocks
                ? blocks.format
                : BlockFormat.of(dtype).orElseThrow(() -> wrongType("floating-point numbers"));
    }

    /** Name of the element type in the file. */
    public String storedType() {
        return content instanceof Blocks blocks ? blocks.format.name() : dtype.name();
    }

    /** Bytes that the elements take in the file. */
    public long storedBytes() {
        return content instanceof Blocks blocks ? blocks.format.bytes(elements()) : byteSize();
    }

    /** The row-major elements or blocks in the type of the file, {@link #storedBytes} bytes. */
    public MemorySegment storedData() {
        return content instanceof Blocks blocks ? blocks.data.get() : data();
    }

    /**
     * The row-major little-endian elements, {@link #byteSize} bytes. Call once and keep the result: it may be computed.
     *
     * @throws CheckpointException if quantised elements are too many for an array
     */
    public MemorySegment data() {
        return switch (content) {
            case Stored stored -> stored.data;
            case Derived derived -> derived.compute.get();
            case Blocks blocks -> unpack(blocks);
        };
    }

    private MemorySegment unpack(Blocks blocks) {
        MemorySegment floats = MemorySegment.ofArray(new float[arrayLength()]);
        TensorCast.cast(blocks.format, blocks.data.get(), elements(), BlockFormat.F32, floats);
        return floats;
    }

    /** Whether no element is NaN or infinite; reads all of them. */
    public boolean isFinite() {
        return Finiteness.isFinite(this);
    }

    /** The same tensor under another name. */
    public TensorEntry withName(String other) {
        return new TensorEntry(other, dtype, shape, content);
    }

    /**
     * Copies the elements as 32-bit floats; narrower types are upcast exactly, F64 is rounded.
     *
     * @throws CheckpointException if the elements are no floating-point numbers or too many for an array
     */
    public float[] toFloats() {
        float[] values = new float[arrayLength()];
        BlockFormat type = BlockFormat.of(dtype).orElseThrow(() -> wrongType("floating-point numbers"));
        TensorCast.decode(type, data(), 0, values.length, values);
        return values;
    }

    /**
     * Copies the elements as longs; U8 is unsigned, BOOL is 0 or 1.
     *
     * @throws CheckpointException if the elements are no integers or too many for an array
     */
    public long[] toLongs() {
        long[] values = new long[arrayLength()];
        MemorySegment data = data();
        switch (dtype) {
            case I64 -> MemorySegment.copy(data, LONG, 0, values, 0, values.length);
            case I32 -> Arrays.setAll(values, i -> data.getAtIndex(INT, i));
            case I16 -> Arrays.setAll(values, i -> data.getAtIndex(SHORT, i));
            case I8 -> Arrays.setAll(values, i -> data.get(ValueLayout.JAVA_BYTE, i));
            case U8 -> Arrays.setAll(values, i -> Byte.toUnsignedLong(data.get(ValueLayout.JAVA_BYTE, i)));
            case BOOL -> Arrays.setAll(values, i -> data.get(ValueLayout.JAVA_BYTE, i) == 0 ? 0 : 1);
            case F64, F32, F16, BF16 -> throw wrongType("integers");
        }
        return values;
    }

    /**
     * Copies the raw little-endian bytes.
     *
     * @throws CheckpointException if they are too many for an array
     */
    public byte[] toBytes() {
        if (byteSize() > Integer.MAX_VALUE - 8) {
            throw tooLarge();
        }
        return data().toArray(ValueLayout.JAVA_BYTE);
    }

    private int arrayLength() {
        if (elements() > Integer.MAX_VALUE - 8) {
            throw tooLarge();
        }
        return (int) elements();
    }

    private CheckpointException tooLarge() {
        return new CheckpointException("tensor '%s' of shape %s is too large for one Java array; use its mapped data"
                .formatted(name, Arrays.toString(shape)));
    }

    private CheckpointException wrongType(String wanted) {
        return new CheckpointException("tensor '%s' is %s where %s are needed".formatted(name, dtype, wanted));
    }
}
