package io.llava4j.tensor.format;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * Element types of GGUF tensors that no kernel computes from: they are read as {@link #READ_AS}, a wider type. IQ4_NL is
 * exact in it; the others are decoded and rounded to it, by at most half of a 127th of the largest of 32 numbers.
 */
public enum NarrowFormat {
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    IQ4_NL(20, 32, 18),
    IQ4_XS(23, 256, 136);

    /** The type that tensors of these types are read as. */
    public static final BlockFormat READ_AS = BlockFormat.Q8_0;

    /** Numbers that the nibbles of IQ4_NL and IQ4_XS stand for, in units of the scale. */
    private static final byte[] LEVELS = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int id;
    private final int blockSize;
    private final int blockBytes;

    NarrowFormat(int id, int blockSize, int blockBytes) {
        this.id = id;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
    }

    /** The type with that number in GGUF; empty if it is none of these. */
    public static Optional<NarrowFormat> of(int id) {
        return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
    }

    /** Elements per block. */
    public int blockSize() {
        return blockSize;
    }

    /**
     * Size of {@code elements} elements in bytes.
     *
     * @throws ArithmeticException if the size exceeds a long
     */
    public long bytes(long elements) {
        return Math.multiplyExact(elements / blockSize, (long) blockBytes);
    }

    /**
     * Converts blocks to {@link #READ_AS}, in new memory.
     *
     * @param elements their count, a multiple of the block size
     * @return empty if a scale is so large, or no number, that the type cannot represent the result
     */
    public Optional<MemorySegment> read(MemorySegment blocks, long elements) {
        MemorySegment result = Arena.ofAuto().allocate(READ_AS.bytes(elements), Long.BYTES);
        float[] values = new float[blockSize];
        boolean fits = true;
        for (long block = 0; block < elements / blockSize; block++) {
            if (this == IQ4_NL) {
                fits &= Float.isFinite(half(blocks, block * blockBytes));
                copyLevels(blocks, block, result);
                continue;
            }
            decode(blocks, block, values);
            for (int i = 0; i < blockSize; i += LegacyBlocks.SIZE) {
                fits &= LegacyBlocks.encodeQ8(values, i, result, (block * blockSize + i) / LegacyBlocks.SIZE);
            }
        }
        return fits ? Optional.of(result) : Optional.empty();
    }

    /** Decodes one block to floats. */
    void decode(MemorySegment blocks, long block, float[] into) {
        long begin = block * blockBytes;
        switch (this) {
            case Q2_K -> decodeQ2(blocks, begin, into);
            case Q3_K -> decodeQ3(blocks, begin, into);
            case IQ4_NL -> decodeLevels(blocks, begin + Short.BYTES, half(blocks, begin), into, 0);
            case IQ4_XS -> decodeSmallBlocks(blocks, begin, into);
        }
    }

    /** A byte for each 16 elements, scale and minimum in four bits each; then two bits an element; then their scales. */
    private static void decodeQ2(MemorySegment blocks, long begin, float[] into) {
        long pairs = begin + 16;
        float scale = half(blocks, pairs + 64);
        float minimum = half(blocks, pairs + 66);
        for (int i = 0; i < 256; i++) {
            int factors = unsigned(blocks, begin + i / 16);
            into[i] = scale * (factors & 0xF) * twoBits(blocks, pairs, i) - minimum * (factors >> 4);
        }
    }

    /** A high bit an element, unset for those that are 4 less; two low bits; 6-bit scales; the scale of these. */
    private static void decodeQ3(MemorySegment blocks, long begin, float[] into) {
        long pairs = begin + 32;
        long factors = pairs + 64;
        float scale = half(blocks, factors + 12);
        for (int i = 0; i < 256; i++) {
            int group = i / 16;
            int low = unsigned(blocks, factors + group % 8) >> 4 * (group / 8) & 0xF;
            int factor = (low | (unsigned(blocks, factors + 8 + group % 4) >> 2 * (group / 4) & 3) << 4) - 32;
            int high = unsigned(blocks, begin + i % 32) >> i / 32 & 1;
            into[i] = scale * factor * (twoBits(blocks, pairs, i) - (high == 0 ? 4 : 0));
        }
    }

    /** Two bits of an element: each half of the block has four layers of 32 elements in 32 bytes. */
    private static int twoBits(MemorySegment blocks, long pairs, int i) {
        return unsigned(blocks, pairs + i / 128 * 32 + i % 32) >> i % 128 / 32 * 2 & 3;
    }

    /** Eight blocks like IQ4_NL's, each with a 6-bit factor: two high bits together, four low bits in nibbles. */
    private static void decodeSmallBlocks(MemorySegment blocks, long begin, float[] into) {
        float scale = half(blocks, begin);
        int high = Short.toUnsignedInt(blocks.get(SHORT, begin + 2));
        for (int i = 0; i < 8; i++) {
            int low = unsigned(blocks, begin + 4 + i / 2) >> 4 * (i % 2) & 0xF;
            int factor = (low | (high >> 2 * i & 3) << 4) - 32;
            decodeLevels(blocks, begin + 8 + 16 * i, scale * factor, into, 32 * i);
        }
    }

    private static void decodeLevels(MemorySegment blocks, long nibbles, float scale, float[] into, int at) {
        for (int i = 0; i < 16; i++) {
            int pair = unsigned(blocks, nibbles + i);
            into[at + i] = scale * LEVELS[pair & 0xF];
            into[at + 16 + i] = scale * LEVELS[pair >> 4];
        }
    }

    /** The same scale and, for each nibble, the number it stands for. */
    private static void copyLevels(MemorySegment blocks, long block, MemorySegment result) {
        long from = block * 18;
        long to = block * 34;
        result.set(SHORT, to, blocks.get(SHORT, from));
        for (int i = 0; i < 16; i++) {
            int pair = unsigned(blocks, from + 2 + i);
            result.set(ValueLayout.JAVA_BYTE, to + 2 + i, LEVELS[pair & 0xF]);
            result.set(ValueLayout.JAVA_BYTE, to + 18 + i, LEVELS[pair >> 4]);
        }
    }

    private static float half(MemorySegment data, long at) {
        return Float.float16ToFloat(data.get(SHORT, at));
    }

    private static int unsigned(MemorySegment data, long at) {
        return Byte.toUnsignedInt(data.get(ValueLayout.JAVA_BYTE, at));
    }
}
