package io.llava4j.tensor.kernel;

/**
 * Writes the code of a product of tiles with a group of columns: a function of the addresses of {@link Arguments}, weights,
 * values and fields of the activations, and products, in the registers of the System V convention.
 */
abstract class TileCode {
    /** The columns' values, and their fields, of the unit at hand. */
    static final int VALUES = Assembler.RAX;

    static final int FIELDS = Assembler.R9;
    static final int WEIGHTS = Assembler.RSI;
    static final int ARGUMENTS = Assembler.RDI;
    private static final int ALL_VALUES = Assembler.RDX;
    private static final int ALL_FIELDS = Assembler.RCX;
    private static final int PRODUCTS = Assembler.R8;
    private static final int TILES = Assembler.R10;
    private static final int UNITS = Assembler.R11;

    /** Bytes that products of few columns fetch ahead; without it the memory is idle for up to a quarter of the time. */
    private static final int AHEAD = 9216;

    private static final int MOST_COLUMNS_FETCHED_AHEAD = 4;
    static final int LINE = 64;

    final Assembler asm;
    final PackedLayout layout;
    final int columns;
    private final int vectorBytes;

    TileCode(PackedLayout layout, int columns, boolean wide) {
        this.asm = new Assembler(wide);
        this.layout = layout;
        this.columns = columns;
        this.vectorBytes = wide ? 64 : 32;
    }

    /** Loads constants. */
    abstract void begin();

    /** Undoes what {@link #begin} did to the processor. */
    void end() {}

    /** Sets the sums of a tile to zero. */
    abstract void clear();

    /** Adds the products of a unit to the sums. */
    abstract void unit();

    /** The register that holds some rows' sums of a column after the last unit; may load it. */
    abstract int sum(int column, int vector);

    final byte[] write(boolean add) {
        asm.load(TILES, ARGUMENTS, Arguments.TILES);
        begin();
        int tile = asm.label();
        asm.move(VALUES, ALL_VALUES);
        asm.move(FIELDS, ALL_FIELDS);
        asm.load(UNITS, ARGUMENTS, Arguments.UNITS);
        clear();
        int unit = asm.label();
        unit();
        asm.addConstant(WEIGHTS, layout.unitBytes());
        advance();
        asm.loop(UNITS, unit);
        store(add);
        asm.loop(TILES, tile);
        end();
        return asm.finish();
    }

    private void advance() {
        if (layout.isQuantised()) {
            int blocks = layout.unitColumns() / PackedLayout.BLOCK;
            asm.addConstant(VALUES, blocks * PackedLayout.BLOCK * columns);
            asm.addConstant(FIELDS, blocks * Activations.FIELDS * Float.BYTES * columns);
        } else {
            asm.addConstant(VALUES, Float.BYTES * columns);
        }
    }

    private void store(boolean add) {
        int tileBytes = layout.tileRows() * Float.BYTES;
        asm.load(FIELDS, ARGUMENTS, Arguments.STRIDE);
        asm.move(VALUES, PRODUCTS);
        for (int column = 0; column < columns; column++) {
            for (int vector = 0; vector < tileBytes / vectorBytes; vector++) {
                int sum = sum(column, vector);
                if (add) {
                    asm.memory(Assembler.ADD_FLOATS, sum, sum, VALUES, vector * vectorBytes);
                }
                asm.memory(Assembler.STORE, sum, 0, VALUES, vector * vectorBytes);
            }
            asm.add(VALUES, FIELDS);
        }
        asm.addConstant(PRODUCTS, tileBytes);
    }

    /** Fetches a part of the weights ahead, for few columns; for more, reading is not what takes the time. */
    final void fetchAhead(int part, int parts) {
        if (columns <= MOST_COLUMNS_FETCHED_AHEAD) {
            int lines = layout.unitBytes() / LINE;
            for (int line = lines * part / parts; line < lines * (part + 1) / parts; line++) {
                asm.fetch(2, WEIGHTS, AHEAD + line * LINE);
            }
        }
    }
}
