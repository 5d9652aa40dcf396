package io.llava4j.tensor.format;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * Element types of GGUF tensors that llava4j reads. Quantised types store blocks of 32 or 256 neighbouring elements of a
 * row, each block with its own scale. {@link NarrowFormat} has those that are read as another type.
 */
public enum BlockFormat {
    F32(0, 1, 4, 0),
    F16(1, 1, 2, 1),
    Q4_0(2, LegacyBlocks.SIZE, 18, 2),
    Q4_1(3, LegacyBlocks.SIZE, 20, 3),
    Q5_0(6, LegacyBlocks.SIZE, 22, 8),
    Q5_1(7, LegacyBlocks.SIZE, 24, 9),
    Q8_0(8, LegacyBlocks.SIZE, 34, 7),
    Q4_K(12, KQuantBlocks.SIZE, KQuantBlocks.Q4_BYTES, 15),
    Q5_K(13, KQuantBlocks.SIZE, KQuantBlocks.Q5_BYTES, 17),
    Q6_K(14, KQuantBlocks.SIZE, KQuantBlocks.Q6_BYTES, 18),
    F64(28, 1, 8, -1),
    BF16(30, 1, 2, 32);

    /** Names of types that llava4j does not read, for messages. */
    private static final Map<Integer, String> OTHERS = Map.ofEntries(
            Map.entry(16, "IQ2_XXS"),
            Map.entry(17, "IQ2_XS"),
            Map.entry(18, "IQ3_XXS"),
            Map.entry(19, "IQ1_S"),
            Map.entry(21, "IQ3_S"),
            Map.entry(22, "IQ2_S"),
            Map.entry(29, "IQ1_M"));

    private final int id;
    private final int blockSize;
    private final int blockBytes;
    private final int fileType;

    BlockFormat(int id, int blockSize, int blockBytes, int fileType) {
        this.id = id;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
        this.fileType = fileType;
    }

    /** The type with that number in GGUF; empty if llava4j does not read it. */
    public static Optional<BlockFormat> of(int id) {
        return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
    }

    /** Name of a type that llava4j does not read. */
    public static String nameOfOther(int id) {
        return OTHERS.getOrDefault(id, "number " + Integer.toUnsignedString(id));
    }

    /** Number of the type in GGUF. */
    public int id() {
        return id;
    }

    /** Elements per block; 1 for types that are not quantised. */
    public int blockSize() {
        return blockSize;
    }

    /** Bytes per block. */
    public int blockBytes() {
        return blockBytes;
    }

    /** Whether elements share scales in blocks. */
    public boolean isQuantised() {
        return blockSize > 1;
    }

    /** {@code general.file_type} of a GGUF file whose weights are mostly of this type. */
    public int fileType() {
        return fileType;
    }

    /**
     * Size of {@code elements} elements in bytes.
     *
     * @param elements a multiple of the block size
     * @throws ArithmeticException if the size exceeds a long
     */
    public long bytes(long elements) {
        return Math.multiplyExact(elements / blockSize, (long) blockBytes);
    }

    /** Type of the decoded elements; 32-bit floats represent quantised elements exactly. */
    public DType dtype() {
        return switch (this) {
            case F32, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K -> DType.F32;
            case F16 -> DType.F16;
            case F64 -> DType.F64;
            case BF16 -> DType.BF16;
        };
    }

    /** The type that stores elements of {@code dtype} unchanged; empty for integers. */
    public static Optional<BlockFormat> of(DType dtype) {
        return Arrays.stream(values())
                .filter(type -> !type.isQuantised() && type.dtype() == dtype)
                .findFirst();
    }
}
