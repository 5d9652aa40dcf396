package io.llava4j.tensor.format;

import io.llava4j.CheckpointException;
import io.llava4j.io.Scratch;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Converts elements to another type, rounding to nearest, ties to even; {@link LegacyBlocks} and {@link KQuantEncoder}
 * define the rounding of blocks. A result is overwritten by the next one, so that a conversion needs memory for its largest tensor only.
 */
public final class TensorCast {
    private static final int CHUNK = 16 * KQuantBlocks.SIZE;

    /** Elements that a thread converts at a time; smaller tensors are converted by the calling thread. */
    private static final long PART = 64L * CHUNK;

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Scratch scratch = new Scratch();

    /**
     * Converts elements; returns {@code data} itself if the types are equal.
     *
     * @param name for the message
     * @param from type of the data
     * @param data row-major elements
     * @param elements their count, a multiple of both block sizes
     * @throws CheckpointException if a number is too large for the type
     */
    public MemorySegment cast(String name, BlockFormat from, MemorySegment data, long elements, BlockFormat to) {
        return cast(name, from, data, elements, to, null);
    }

    /**
     * As {@link #cast(String, BlockFormat, MemorySegment, long, BlockFormat)}, with the error of a quantised matrix weighted.
     *
     * @param importance of each column, not negative; null if all are alike. Types but Q4_0, Q4_K and Q6_K do not use it
     */
    public MemorySegment cast(
            String name,
            BlockFormat from,
            MemorySegment data,
            long elements,
            BlockFormat to,
            float @Nullable [] importance) {
        if (from == to) {
            return data;
        }
        MemorySegment result = scratch.take(to.bytes(elements));
        if (!cast(from, data, elements, to, result, importance)) {
            throw tooLarge(name, to);
        }
        return result;
    }

    /**
     * Converts elements into {@code result}, large tensors on all cores; returns whether the type can represent all of them.
     */
    public static boolean cast(
            BlockFormat from, MemorySegment data, long elements, BlockFormat to, MemorySegment result) {
        return cast(from, data, elements, to, result, null);
    }

    private static boolean cast(
            BlockFormat from,
            MemorySegment data,
            long elements,
            BlockFormat to,
            MemorySegment result,
            float @Nullable [] importance) {
        LongStream parts = LongStream.range(0, Math.ceilDiv(elements, PART));
        return (elements > PART ? parts.parallel() : parts)
                .mapToObj(part -> castPart(
                        from, data, part * PART, Math.min(elements, (part + 1) * PART), to, result, importance))
                .reduce(true, Boolean::logicalAnd);
    }

    private static boolean castPart(
            BlockFormat from,
            MemorySegment data,
            long first,
            long end,
            BlockFormat to,
            MemorySegment result,
            float @Nullable [] importance) {
        float[] chunk = new float[CHUNK];
        boolean fits = true;
        for (long begin = first; begin < end; begin += CHUNK) {
            int count = (int) Math.min(CHUNK, end - begin);
            decode(from, data, begin, count, chunk);
            fits &= encode(chunk, count, to, result, begin, importance);
        }
        return fits;
    }

    /**
     * Converts floats to another type, into new memory.
     *
     * @throws CheckpointException if the type is no floating-point type, or a number is too large for it
     */
    public static MemorySegment rounded(String name, float[] values, DType dtype) {
        if (dtype == DType.F32) {
            return MemorySegment.ofArray(values);
        }
        BlockFormat type = BlockFormat.of(dtype)
                .orElseThrow(
                        () -> new CheckpointException("tensor '%s' cannot be written as %s".formatted(name, dtype)));
        MemorySegment result = MemorySegment.ofArray(new byte[Math.toIntExact(type.bytes(values.length))]);
        if (!encode(values, values.length, type, result, 0, null)) {
            throw tooLarge(name, type);
        }
        return result;
    }

    private static CheckpointException tooLarge(String name, BlockFormat type) {
        return new CheckpointException("tensor '%s' holds %snumbers that %s cannot hold; choose bf16 or f32"
                .formatted(name, type.isQuantised() ? "NaN, infinity or " : "", type));
    }

    /**
     * Decodes elements to 32-bit floats; F64 is rounded.
     *
     * @param begin first element, at the start of a block
     * @param count of elements; whole blocks
     */
    public static void decode(BlockFormat from, MemorySegment data, long begin, int count, float[] into) {
        switch (from) {
            case F32 -> MemorySegment.copy(data, FLOAT, begin * Float.BYTES, into, 0, count);
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    into[i] = (float) data.get(DOUBLE, (begin + i) * Double.BYTES);
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    into[i] = Float.float16ToFloat(data.get(SHORT, (begin + i) * Short.BYTES));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    into[i] = Float.intBitsToFloat(data.get(SHORT, (begin + i) * Short.BYTES) << 16);
                }
            }
            case Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K -> {
                for (int i = 0; i < count; i += from.blockSize()) {
                    decodeBlock(from, data, (begin + i) / from.blockSize(), into, i);
                }
            }
        }
    }

    private static void decodeBlock(BlockFormat type, MemorySegment blocks, long block, float[] into, int at) {
        switch (type) {
            case Q8_0 -> LegacyBlocks.decodeQ8(blocks, block, into, at);
            case Q4_0 -> LegacyBlocks.decodeQ4(blocks, block, into, at);
            case Q4_1 -> LegacyBlocks.decodeQ4WithMinimum(blocks, block, into, at);
            case Q5_0 -> LegacyBlocks.decodeQ5(blocks, block, into, at);
            case Q5_1 -> LegacyBlocks.decodeQ5WithMinimum(blocks, block, into, at);
            case Q4_K -> KQuantBlocks.decodeQ4(blocks, block, into, at);
            case Q5_K -> KQuantBlocks.decodeQ5(blocks, block, into, at);
            case Q6_K -> KQuantBlocks.decodeQ6(blocks, block, into, at);
            case F32, F16, F64, BF16 -> throw new IllegalArgumentException("no blocks: " + type);
        }
    }

    /** Returns whether the type can represent all numbers; quantised types cannot represent NaN and infinity. */
    private static boolean encode(
            float[] from, int count, BlockFormat to, MemorySegment data, long begin, float @Nullable [] importance) {
        boolean fits = true;
        switch (to) {
            case F32 -> MemorySegment.copy(from, 0, data, FLOAT, begin * Float.BYTES, count);
            case F64 -> {
                for (int i = 0; i < count; i++) {
                    data.set(DOUBLE, (begin + i) * Double.BYTES, from[i]);
                }
            }
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    short half = Float.floatToFloat16(from[i]);
                    fits &= Float.isFinite(Float.float16ToFloat(half)) || !Float.isFinite(from[i]);
                    data.set(SHORT, (begin + i) * Short.BYTES, half);
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    data.set(SHORT, (begin + i) * Short.BYTES, bfloat16(from[i]));
                }
            }
            case Q8_0, Q4_0, Q4_K, Q6_K -> {
                BlockEncoder encoder = BlockEncoder.of(to, importance);
                for (int i = 0; i < count; i += to.blockSize()) {
                    fits &= encoder.encode(from, i, data, (begin + i) / to.blockSize());
                }
            }
            case Q4_1, Q5_0, Q5_1, Q5_K -> throw new IllegalArgumentException("not written: " + to);
        }
        return fits;
    }

    private static short bfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) (bits >>> 16 | 0x40); // stays NaN without its lower bits
        }
        return (short) (bits + 0x7FFF + (bits >>> 16 & 1) >>> 16);
    }
}
