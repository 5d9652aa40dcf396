package io.llava4j.checkpoint;

import java.util.Arrays;
import java.util.Optional;

/**
 * Element types of GGUF tensors that llava4j reads. Quantised ones store blocks of {@value GgufBlocks#SIZE} elements of
 * a row, each with a scale of its own.
 */
enum GgufType {
    F32(0, 1, 4, 0),
    F16(1, 1, 2, 1),
    Q4_0(2, GgufBlocks.SIZE, 18, 2),
    Q8_0(8, GgufBlocks.SIZE, 34, 7),
    F64(28, 1, 8, -1),
    BF16(30, 1, 2, 32);

    private final int id;
    private final int blockSize;
    private final int blockBytes;
    private final int fileType;

    GgufType(int id, int blockSize, int blockBytes, int fileType) {
        this.id = id;
        this.blockSize = blockSize;
        this.blockBytes = blockBytes;
        this.fileType = fileType;
    }

    /** The type of that number. */
    static Optional<GgufType> of(int id) {
        return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
    }

    /** Number of the type in a tensor's entry. */
    int id() {
        return id;
    }

    /** Elements of a block; 1 where nothing is quantised. */
    int blockSize() {
        return blockSize;
    }

    boolean isQuantised() {
        return blockSize > 1;
    }

    /** {@code general.file_type} of a file that is mostly of this type. */
    int fileType() {
        return fileType;
    }

    /**
     * Bytes of so many elements, a multiple of the block size.
     *
     * @throws ArithmeticException if that is beyond all memory
     */
    long bytes(long elements) {
        return Math.multiplyExact(elements / blockSize, (long) blockBytes);
    }

    /** The type in which the elements are handed out: quantised ones as 32-bit floats, which hold them exactly. */
    DType dtype() {
        return switch (this) {
            case F32, Q4_0, Q8_0 -> DType.F32;
            case F16 -> DType.F16;
            case F64 -> DType.F64;
            case BF16 -> DType.BF16;
        };
    }

    /** The type that stores the elements of another format as they are. */
    static Optional<GgufType> of(DType dtype) {
        return Arrays.stream(values())
                .filter(type -> !type.isQuantised() && type.dtype() == dtype)
                .findFirst();
    }
}
