package io.llava4j.tensor.kernel;

/**
 * Products of blocks with 512 bits and VNNI: a register holds all rows of a tile. Registers: 0 to 7 elements, 8 to 11
 * integer sums, 12 scales, 13 minima or second scales, 14 mask, 15 scratch, 16 to 31 sums of the columns.
 */
final class VnniBlockCode extends BlockCode {
    static final int COLUMNS = 16;
    private static final int INTEGER_SUMS = 8;
    private static final int AT_A_TIME = 4;
    private static final int SCALES = 12;
    private static final int MINIMA = 13;
    private static final int MASK = 14;
    private static final int SCRATCH = 15;
    private static final int SUMS = 16;

    VnniBlockCode(PackedLayout layout, int columns, Streams streams) {
        super(layout, columns, streams, true);
    }

    @Override
    void begin() {
        asm.memory(Assembler.BROADCAST, MASK, 0, ARGUMENTS, Arguments.NIBBLES);
    }

    @Override
    void clear() {
        for (int column = 0; column < columns; column++) {
            asm.registers(Assembler.XOR, sum(column, 0), sum(column, 0), sum(column, 0));
        }
    }

    @Override
    int sum(int column, int vector) {
        return SUMS + stream * columns + column;
    }

    @Override
    void block(int block) {
        loadElements(block);
        scales(SCALES, SCRATCH, block, 0, 0);
        if (hasMinima() || hasTwoSums()) {
            scales(MINIMA, SCRATCH, block, 1, 0);
        }
        for (int first = 0; first < columns; first += AT_A_TIME) {
            int count = Math.min(AT_A_TIME, columns - first);
            if (hasTwoSums()) {
                part(block, first, count, 0, VECTORS / 2, Activations.HALF_BIASES_128, SCALES);
                part(block, first, count, VECTORS / 2, VECTORS, Activations.HALF_BIASES_128 + 1, MINIMA);
            } else {
                int bias = layout.hasNibbles() ? Activations.BIAS_8 : Activations.BIAS_128;
                part(block, first, count, 0, VECTORS, bias, SCALES);
            }
        }
    }

    private void loadElements(int block) {
        int at = weightsAt(layout.elementsAt(block));
        if (!layout.hasNibbles()) {
            for (int i = 0; i < VECTORS; i++) {
                asm.memory(Assembler.LOAD, i, 0, WEIGHTS, at + i * Packer.VECTOR);
            }
            return;
        }
        for (int i = 0; i < VECTORS; i += 2) {
            asm.memory(Assembler.LOAD, i, 0, WEIGHTS, at + i / 2 * Packer.VECTOR);
            asm.shift(Assembler.RIGHT_SHORTS, i + 1, i, 4);
            asm.registers(Assembler.AND, i, i, MASK);
            asm.registers(Assembler.AND, i + 1, i + 1, MASK);
        }
    }

    /** Some columns' products of some vectors of the block. A single column has two chains, which are added. */
    private void part(int block, int first, int count, int fromVector, int toVector, int bias, int scales) {
        int chains = count == 1 ? 2 : 1;
        for (int c = 0; c < count * chains; c++) {
            int sum = INTEGER_SUMS + c;
            if (layout.zero() == 0 || c >= count) {
                asm.registers(Assembler.XOR, sum, sum, sum);
            } else {
                asm.memory(Assembler.BROADCAST, sum, 0, FIELDS, field(block, bias, first + c));
            }
        }
        for (int i = fromVector; i < toVector; i++) {
            for (int c = 0; c < count; c++) {
                int sum = INTEGER_SUMS + c + i % chains;
                asm.broadcast(Assembler.DOT_BYTES, sum, i, VALUES, value(block, first + c, i));
            }
        }
        if (chains == 2) {
            asm.registers(Assembler.ADD_INTS, INTEGER_SUMS, INTEGER_SUMS, INTEGER_SUMS + 1);
        }
        for (int c = 0; c < count; c++) {
            int sum = sum(first + c, 0);
            asm.registers(Assembler.INTS_TO_FLOATS, INTEGER_SUMS + c, 0, INTEGER_SUMS + c);
            asm.broadcast(
                    Assembler.MULTIPLY_FLOATS, SCRATCH, scales, FIELDS, field(block, Activations.SCALE, first + c));
            asm.registers(Assembler.MULTIPLY_ADD, sum, INTEGER_SUMS + c, SCRATCH);
            if (hasMinima()) {
                int scaledSum = field(block, Activations.SCALED_SUM, first + c);
                asm.broadcast(minimumTerm(), sum, MINIMA, FIELDS, scaledSum);
            }
        }
    }
}
