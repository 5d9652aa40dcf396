package io.llava4j.tensor.collective;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Texts as 64-bit integers, which tensors exchange: UTF-8, padded to the longest of all. */
final class PackedText {
    private PackedText() {}

    /** Bytes of a text, {@code [1]}. */
    static long[] lengthOf(String text) {
        return new long[] {text.getBytes(StandardCharsets.UTF_8).length};
    }

    /** Integers that hold the longest text. */
    static int words(long[] lengths) {
        return Math.toIntExact(Math.ceilDiv(Arrays.stream(lengths).max().orElse(0), Long.BYTES)) + 1;
    }

    static long[] pack(String text, int words) {
        long[] packed = new long[words];
        ByteBuffer.allocate(words * Long.BYTES)
                .put(text.getBytes(StandardCharsets.UTF_8))
                .rewind()
                .asLongBuffer()
                .get(packed);
        return packed;
    }

    /**
     * The texts of all.
     *
     * @param packed {@code [texts * words]}
     * @param lengths bytes of each, {@code [texts]}
     */
    static List<String> unpack(long[] packed, long[] lengths, int words) {
        ByteBuffer bytes = ByteBuffer.allocate(packed.length * Long.BYTES);
        bytes.asLongBuffer().put(packed);
        return IntStream.range(0, lengths.length)
                .mapToObj(i -> new String(
                        bytes.array(), i * words * Long.BYTES, Math.toIntExact(lengths[i]), StandardCharsets.UTF_8))
                .toList();
    }
}
