package io.llava4j.tensor.kernel;

/** Writes products of blocks: what both widths share. */
abstract class BlockCode extends TileCode {
    /** Ints of a row in a block of bytes; nibbles fill half as many. */
    static final int VECTORS = 8;

    BlockCode(PackedLayout layout, int columns, Streams streams, boolean wide) {
        super(layout, columns, streams, wide);
    }

    @Override
    void unit() {
        int blocks = layout.unitColumns() / PackedLayout.BLOCK;
        for (int block = 0; block < blocks; block++) {
            fetchAhead(block, blocks);
            block(block);
        }
    }

    abstract void block(int block);

    final boolean hasTwoSums() {
        return layout.hasScalesOf16();
    }

    /** Whether a term with a minimum follows each sum. */
    final boolean hasMinima() {
        return layout.hasMinima();
    }

    /** Adds the minimum's term, or subtracts it. */
    final int minimumTerm() {
        return layout.hasSmallScales() ? Assembler.NEGATIVE_MULTIPLY_ADD : Assembler.MULTIPLY_ADD;
    }

    /** Offset of a number of a column about a block of the unit. */
    final int field(int block, int field, int column) {
        return ((block * Activations.FIELDS + field) * columns + column) * Float.BYTES;
    }

    /** Offset of four integers of a column. */
    final int value(int block, int column, int vector) {
        return (block * columns + column) * PackedLayout.BLOCK + vector * Integer.BYTES;
    }

    /** Loads scales of rows; with small scales the product of both. */
    final void scales(int target, int scratch, int block, int part, int firstRow) {
        int large = firstRow * Short.BYTES;
        if (!layout.hasSmallScales()) {
            asm.memory(Assembler.HALVES_TO_FLOATS, target, 0, WEIGHTS, weightsAt(block * 32 + part * 64 + large));
            return;
        }
        int widen = hasTwoSums() ? Assembler.SIGNED_BYTES_TO_INTS : Assembler.UNSIGNED_BYTES_TO_INTS;
        int largeAt = hasTwoSums() ? 0 : part * 32;
        asm.memory(widen, target, 0, WEIGHTS, weightsAt(layout.smallScalesAt(block) + part * 16 + firstRow));
        asm.registers(Assembler.INTS_TO_FLOATS, target, 0, target);
        asm.memory(Assembler.HALVES_TO_FLOATS, scratch, 0, WEIGHTS, weightsAt(largeAt + large));
        asm.registers(Assembler.MULTIPLY_FLOATS, target, target, scratch);
    }
}
