package io.llava4j.tensor.kernel;

/**
 * Products of blocks with 256 bits: two registers hold the rows of a tile. Integer products have 16 bits; unsigned elements
 * of four or five bits cannot exceed them, others are multiplied as magnitudes by activations of the right sign. Registers:
 * 0 to 7 integer sums, 8 a column's number in all lanes, 9 to 14 elements, products, scales, 15 a mask. Sums of the columns
 * are kept in memory.
 */
final class Avx2BlockCode extends BlockCode {
    static final int COLUMNS = 4;
    private static final int HALVES = 2;
    private static final int HALF_BYTES = 32;
    private static final int HALF_ROWS = 8;
    private static final int COLUMN = 8;
    private static final int ELEMENTS = 9;
    private static final int PRODUCTS = 11;
    private static final int LOADED = 13;
    private static final int MASK = 15;

    Avx2BlockCode(PackedLayout layout, int columns, Streams streams) {
        super(layout, columns, streams, false);
    }

    @Override
    void begin() {
        asm.memory(Assembler.LOAD, MASK, 0, ARGUMENTS, layout.hasNibbles() ? Arguments.NIBBLES : Arguments.SIGN_BITS);
    }

    @Override
    void clear() {
        asm.registers(Assembler.XOR, COLUMN, COLUMN, COLUMN);
        for (int i = 0; i < HALVES * columns; i++) {
            asm.memory(Assembler.STORE, COLUMN, 0, ARGUMENTS, sumAt(0, i));
        }
    }

    @Override
    int sum(int column, int vector) {
        asm.memory(Assembler.LOAD, 0, 0, ARGUMENTS, sumAt(column, vector));
        return 0;
    }

    private int sumAt(int column, int half) {
        return Arguments.SUMS + (HALVES * (stream * columns + column) + half) * HALF_BYTES;
    }

    @Override
    void block(int block) {
        if (layout.hasNibbles()) {
            nibbles(block);
            finish(block, 0);
        } else if (hasTwoSums()) {
            bytes(block, 0, VECTORS / 2);
            finish(block, 0);
            bytes(block, VECTORS / 2, VECTORS);
            finish(block, 1);
        } else {
            bytes(block, 0, VECTORS);
            finish(block, 0);
        }
    }

    /** All products of a block add up to less than 16 bits. */
    private void nibbles(int block) {
        for (int i = 0; i < VECTORS; i++) {
            for (int half = 0; half < HALVES; half++) {
                if (i % 2 == 0) {
                    asm.memory(Assembler.LOAD, LOADED + half, 0, WEIGHTS, elementsAt(block, i / 2, half));
                    asm.registers(Assembler.AND, ELEMENTS + half, LOADED + half, MASK);
                } else {
                    asm.shift(Assembler.RIGHT_SHORTS, ELEMENTS + half, LOADED + half, 4);
                    asm.registers(Assembler.AND, ELEMENTS + half, ELEMENTS + half, MASK);
                }
            }
            for (int column = 0; column < columns; column++) {
                asm.memory(Assembler.BROADCAST, COLUMN, 0, VALUES, value(block, column, i));
                for (int half = 0; half < HALVES; half++) {
                    int sum = HALVES * column + half;
                    int product = i == 0 ? sum : PRODUCTS + half;
                    asm.registers(Assembler.MULTIPLY_BYTES, product, ELEMENTS + half, COLUMN);
                    if (i > 0) {
                        asm.registers(Assembler.ADD_SHORTS, sum, sum, product);
                    }
                }
            }
        }
        for (int sum = 0; sum < HALVES * columns; sum++) {
            asm.memory(Assembler.MULTIPLY_SHORTS, sum, sum, ARGUMENTS, Arguments.ONES);
        }
        if (layout.zero() != 0) {
            for (int column = 0; column < columns; column++) {
                asm.memory(Assembler.BROADCAST, COLUMN, 0, FIELDS, field(block, Activations.BIAS_8, column));
                for (int half = 0; half < HALVES; half++) {
                    int sum = HALVES * column + half;
                    asm.registers(Assembler.ADD_INTS, sum, sum, COLUMN);
                }
            }
        }
    }

    private void bytes(int block, int from, int to) {
        boolean signed = layout.zero() != 0;
        for (int i = from; i < to; i++) {
            for (int half = 0; half < HALVES; half++) {
                asm.memory(Assembler.LOAD, ELEMENTS + half, 0, WEIGHTS, elementsAt(block, i, half));
                if (signed) {
                    asm.registers(Assembler.XOR, ELEMENTS + half, ELEMENTS + half, MASK);
                    asm.registers(Assembler.ABSOLUTE_BYTES, LOADED + half, 0, ELEMENTS + half);
                }
            }
            for (int column = 0; column < columns; column++) {
                asm.memory(Assembler.BROADCAST, COLUMN, 0, VALUES, value(block, column, i));
                for (int half = 0; half < HALVES; half++) {
                    bytes(HALVES * column + half, half, signed, i == from);
                }
            }
        }
    }

    private void bytes(int sum, int half, boolean signed, boolean first) {
        int product = PRODUCTS + half;
        if (signed) {
            asm.registers(Assembler.SIGN_BYTES, product, COLUMN, ELEMENTS + half);
            asm.registers(Assembler.MULTIPLY_BYTES, product, LOADED + half, product);
        } else {
            asm.registers(Assembler.MULTIPLY_BYTES, product, ELEMENTS + half, COLUMN);
        }
        asm.memory(Assembler.MULTIPLY_SHORTS, first ? sum : product, product, ARGUMENTS, Arguments.ONES);
        if (!first) {
            asm.registers(Assembler.ADD_INTS, sum, sum, product);
        }
    }

    private int elementsAt(int block, int vector, int half) {
        return weightsAt(layout.elementsAt(block) + vector * Packer.VECTOR + half * HALF_BYTES);
    }

    /** Adds the integer sums, scaled, to the sums of the columns. */
    private void finish(int block, int part) {
        for (int half = 0; half < HALVES; half++) {
            scales(ELEMENTS + half, PRODUCTS, block, part, half * HALF_ROWS);
            if (hasMinima()) {
                scales(LOADED + half, PRODUCTS, block, 1, half * HALF_ROWS);
            }
        }
        for (int column = 0; column < columns; column++) {
            asm.memory(Assembler.BROADCAST, COLUMN, 0, FIELDS, field(block, Activations.SCALE, column));
            for (int half = 0; half < HALVES; half++) {
                int sum = HALVES * column + half;
                asm.registers(Assembler.INTS_TO_FLOATS, sum, 0, sum);
                asm.registers(Assembler.MULTIPLY_FLOATS, PRODUCTS, ELEMENTS + half, COLUMN);
                asm.memory(Assembler.MULTIPLY_FIRST, sum, PRODUCTS, ARGUMENTS, sumAt(column, half));
            }
            if (hasMinima()) {
                asm.memory(Assembler.BROADCAST, COLUMN, 0, FIELDS, field(block, Activations.SCALED_SUM, column));
            }
            for (int half = 0; half < HALVES; half++) {
                int sum = HALVES * column + half;
                if (hasMinima()) {
                    asm.registers(minimumTerm(), sum, LOADED + half, COLUMN);
                }
                asm.memory(Assembler.STORE, sum, 0, ARGUMENTS, sumAt(column, half));
            }
        }
    }
}
