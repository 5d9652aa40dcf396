package io.llava4j.checkpoint.layout;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Finds NaN and infinity in stored tensors, eight bytes at a time, at the speed of reading. */
final class Finiteness {
    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Bytes between two checks whether something was found. */
    private static final long CHUNK = 1 << 20;

    private Finiteness() {}

    /** Whether all elements are finite; true for types without floating-point elements. */
    static boolean isFinite(TensorEntry tensor) {
        // An element is not finite when all bits of its exponent are set. Adding the exponent's lowest bit then
        // carries into the sign bit, and never further, so that all elements of a word are tested at once.
        return switch (tensor.dtype()) {
            case F64 -> isFinite(tensor.data(), 0x7FF0_0000_0000_0000L, 0x0010_0000_0000_0000L);
            case F32 -> isFinite(tensor.data(), 0x7F80_0000_7F80_0000L, 0x0080_0000_0080_0000L);
            case BF16 -> isFinite(tensor.data(), 0x7F80_7F80_7F80_7F80L, 0x0080_0080_0080_0080L);
            case F16 -> isFinite(tensor.data(), 0x7C00_7C00_7C00_7C00L, 0x0400_0400_0400_0400L);
            default -> true;
        };
    }

    private static boolean isFinite(MemorySegment data, long exponents, long lowestBits) {
        long signs = exponents + lowestBits;
        long words = data.byteSize() / Long.BYTES * Long.BYTES;
        long carried = 0;
        for (long from = 0; from < words && (carried & signs) == 0; from += CHUNK) {
            long to = Math.min(from + CHUNK, words);
            for (long at = from; at < to; at += Long.BYTES) {
                carried |= (data.get(WORD, at) & exponents) + lowestBits;
            }
        }
        long tail = 0;
        for (long at = words; at < data.byteSize(); at++) {
            tail |= Byte.toUnsignedLong(data.get(ValueLayout.JAVA_BYTE, at)) << 8 * (at - words);
        }
        carried |= (tail & exponents) + lowestBits;
        return (carried & signs) == 0;
    }
}
