package io.llava4j.tensor.kernel;

import io.llava4j.tensor.format.BlockFormat;

/**
 * How a packed matrix lies in memory. Rows stand in tiles, so that each lane of a vector register belongs to one row, and a
 * tile is a series of units of neighbouring columns.
 *
 * <p>Quantised types: a tile has 16 rows. A unit has a header, and for each 64 columns a header of small scales (K-quants
 * only) and the elements of two blocks of 32 columns. Elements stand as unsigned integers {@code value + zero}. The
 * elements of a block are vectors of 16 ints, one int per row: byte i of int j holds element {@code 4j + i}, or, for
 * nibbles, {@code 8j + i} in its low half and {@code 8j + 4 + i} in its high half.
 *
 * <p>Floats: a tile has 32 rows, and a unit is one column of it.
 */
enum PackedLayout {
    /** Header: 16 16-bit scales of the first block, and of the second. */
    Q4_0(true, 64, 64, 0, 8),
    /** Header: as {@link #Q4_0}, then the minima in the same order. */
    Q4_1(true, 64, 128, 0, 0),
    /** Q8_0 and Q5_0. Header: as {@link #Q4_0}. */
    Q8_0(false, 64, 64, 0, 128),
    /** Header: as {@link #Q4_1}. */
    Q5_1(false, 64, 128, 0, 0),
    /** Header: 16 16-bit scales, 16 scales of minima. Small headers: for each block 16 scales, 16 minima, in bytes. */
    Q4_K(true, 256, 64, 64, 0),
    /** Headers as {@link #Q4_K}. */
    Q5_K(false, 256, 64, 64, 0),
    /** Header: 16 16-bit scales. Small headers: 16 signed scales for each 16 columns. */
    Q6_K(false, 256, 64, 64, 128),
    /** Q4_0 and Q8_0 in signed bytes, made for tiles of bytes; header as {@link #Q4_0}. */
    SIGNED_8(false, 64, 64, 0, 0),
    /** Q6_K in signed bytes, made for tiles of bytes; headers as {@link #Q6_K}. */
    SIGNED_6_K(false, 256, 64, 64, 0),
    F32(Float.BYTES),
    F16(Short.BYTES),
    BF16(Short.BYTES);

    /** Columns that share a scale of the activations. */
    static final int BLOCK = 32;

    /** Columns of a unit without its small headers. */
    private static final int PAIR = 2 * BLOCK;

    private final boolean quantised;
    private final boolean nibbles;
    private final int tileRows;
    private final int unitColumns;
    private final int header;
    private final int pairHeader;
    private final int blockBytes;
    private final int unitBytes;
    private final int zero;

    PackedLayout(boolean nibbles, int unitColumns, int header, int pairHeader, int zero) {
        this.quantised = true;
        this.nibbles = nibbles;
        this.tileRows = 16;
        this.unitColumns = unitColumns;
        this.header = header;
        this.pairHeader = pairHeader;
        this.blockBytes = tileRows * BLOCK / (nibbles ? 2 : 1);
        this.unitBytes = header + unitColumns / PAIR * (pairHeader + 2 * blockBytes);
        this.zero = zero;
    }

    PackedLayout(int elementBytes) {
        this.quantised = false;
        this.nibbles = false;
        this.tileRows = 32;
        this.unitColumns = 1;
        this.header = 0;
        this.pairHeader = 0;
        this.blockBytes = 0;
        this.unitBytes = tileRows * elementBytes;
        this.zero = 0;
    }

    static PackedLayout of(BlockFormat format) {
        return switch (format) {
            case Q4_0 -> Q4_0;
            case Q4_1 -> Q4_1;
            case Q8_0, Q5_0 -> Q8_0;
            case Q5_1 -> Q5_1;
            case Q4_K -> Q4_K;
            case Q5_K -> Q5_K;
            case Q6_K -> Q6_K;
            case F32 -> F32;
            case F16 -> F16;
            case BF16 -> BF16;
            case F64 -> throw new IllegalArgumentException("no kernel multiplies by F64; round the matrix to F32");
        };
    }

    boolean isQuantised() {
        return quantised;
    }

    boolean hasNibbles() {
        return nibbles;
    }

    /** Whether every 256 columns have a scale that multiplies small integer scales. */
    boolean hasSmallScales() {
        return pairHeader > 0;
    }

    /** The layout that has the same headers, and elements in bytes without {@link #zero}. */
    PackedLayout inSignedBytes() {
        return switch (this) {
            case Q4_0, Q8_0 -> SIGNED_8;
            case Q4_1 -> Q5_1;
            case Q4_K -> Q5_K;
            case Q6_K -> SIGNED_6_K;
            default -> this;
        };
    }

    /** Whether elements are signed bytes, rather than unsigned ones. */
    boolean isSigned() {
        return this == SIGNED_8 || this == SIGNED_6_K;
    }

    /** Whether each scale has a minimum beside it. */
    boolean hasMinima() {
        return switch (this) {
            case Q4_1, Q5_1, Q4_K, Q5_K -> true;
            default -> false;
        };
    }

    /** Whether every 16 columns, rather than 32, have a scale. */
    boolean hasScalesOf16() {
        return this == Q6_K || this == SIGNED_6_K;
    }

    int tileRows() {
        return tileRows;
    }

    int unitColumns() {
        return unitColumns;
    }

    int unitBytes() {
        return unitBytes;
    }

    /** Bytes of the header of a unit. */
    int header() {
        return header;
    }

    /** Bytes of the small scales of 64 columns. */
    int pairHeader() {
        return pairHeader;
    }

    /** Bytes of the elements of a block of 32 columns. */
    int blockBytes() {
        return blockBytes;
    }

    /** What is added to an element to store it. */
    int zero() {
        return zero;
    }

    /** Offset within a unit of the small scales of a block. */
    int smallScalesAt(int block) {
        return header + block / 2 * (pairHeader + 2 * blockBytes) + block % 2 * BLOCK;
    }

    /** Offset within a unit of the elements of a block. */
    int elementsAt(int block) {
        return header + block / 2 * (pairHeader + 2 * blockBytes) + pairHeader + block % 2 * blockBytes;
    }
}
