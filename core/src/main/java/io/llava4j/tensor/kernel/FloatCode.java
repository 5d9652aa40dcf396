package io.llava4j.tensor.kernel;

/**
 * Products of floats. With 512 bits, two registers hold the rows of a tile, and 28 the sums of 14 columns; with 256 bits
 * they are four, and 12 for three columns.
 */
final class FloatCode extends TileCode {
    private static final int UNITS_AHEAD = 8;

    private final boolean wide;
    private final int vectors;
    private final int weights;
    private final int column;

    FloatCode(PackedLayout layout, int columns, Streams streams, boolean wide) {
        super(layout, columns, streams, wide);
        this.wide = wide;
        this.vectors = wide ? 2 : 4;
        this.weights = wide ? 28 : 15;
        this.column = wide ? 30 : 12;
    }

    static int columns(boolean wide) {
        return wide ? 14 : 3;
    }

    @Override
    void begin() {}

    @Override
    void clear() {
        for (int sum = sum(0, 0); sum < sum(columns, 0); sum++) {
            asm.registers(Assembler.XOR, sum, sum, sum);
        }
    }

    @Override
    int sum(int column, int vector) {
        return vectors * (stream * columns + column) + vector;
    }

    @Override
    void unit() {
        fetchAhead(0, 1);
        if (wide) {
            fetchForMany();
            loadWeights(weights, 0);
            loadWeights(weights + 1, 1);
            for (int c = 0; c < columns; c++) {
                asm.memory(Assembler.BROADCAST, column, 0, VALUES, c * Float.BYTES);
                asm.registers(Assembler.MULTIPLY_ADD, sum(c, 0), weights, column);
                asm.registers(Assembler.MULTIPLY_ADD, sum(c, 1), weights + 1, column);
            }
            return;
        }
        for (int c = 0; c < columns; c++) {
            asm.memory(Assembler.BROADCAST, column + c, 0, VALUES, c * Float.BYTES);
        }
        for (int vector = 0; vector < vectors; vector++) {
            loadWeights(weights, vector);
            for (int c = 0; c < columns; c++) {
                asm.registers(Assembler.MULTIPLY_ADD, sum(c, vector), weights, column + c);
            }
        }
    }

    /** Brings later units from the second cache to the first, which makes products of many columns some percent faster. */
    private void fetchForMany() {
        if (columns == columns(wide)) {
            for (int at = 0; at < layout.unitBytes(); at += LINE) {
                asm.fetch(1, WEIGHTS, UNITS_AHEAD * layout.unitBytes() + at);
            }
            asm.fetch(1, VALUES, UNITS_AHEAD * columns * Float.BYTES);
        }
    }

    private void loadWeights(int target, int vector) {
        int at = weightsAt(vector * layout.unitBytes() / vectors);
        switch (layout) {
            case F32 -> asm.memory(Assembler.LOAD, target, 0, WEIGHTS, at);
            case F16 -> asm.memory(Assembler.HALVES_TO_FLOATS, target, 0, WEIGHTS, at);
            case BF16 -> {
                asm.memory(Assembler.UNSIGNED_SHORTS_TO_INTS, target, 0, WEIGHTS, at);
                asm.shift(Assembler.LEFT_INTS, target, target, 16);
            }
            default -> throw new IllegalStateException(layout.name());
        }
    }
}
