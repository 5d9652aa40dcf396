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

    /** Bytes that each stream fetches ahead. */
    static final int AHEAD = 1152;

    private static final int FEW_COLUMNS = 4;
    static final int LINE = 64;

    /** Displacements have 32 bits. */
    private static final int MOST_TILE_BYTES = 1 << 28;

    final Assembler asm;
    final PackedLayout layout;
    final int columns;

    /** The tile at hand of those that are read side by side. */
    int stream;

    private final Streams streams;
    private final int vectorBytes;

    TileCode(PackedLayout layout, int columns, Streams streams, boolean wide) {
        this.asm = new Assembler(wide);
        this.layout = layout;
        this.columns = columns;
        this.streams = streams;
        this.vectorBytes = wide ? 64 : 32;
    }

    /**
     * Neighbouring tiles that are read side by side. Products of few columns wait for the memory, and a core reads a tenth
     * faster from several places at a time than from one.
     *
     * @param tileBytes from a tile to the next
     */
    record Streams(int count, int tileBytes) {
        static final int MOST = 4;
        static final Streams ONE = new Streams(1, 0);

        /** For tiles of that size and that many columns; ONE if there are fewer tiles. */
        static Streams of(long tileBytes, int tiles, int columns) {
            int count = columns == 1 ? MOST : columns <= FEW_COLUMNS ? 2 : 1;
            boolean several = count > 1 && count <= tiles && tileBytes <= MOST_TILE_BYTES;
            return several ? new Streams(count, (int) tileBytes) : ONE;
        }
    }

    /** Loads constants. */
    abstract void begin();

    /** Undoes what {@link #begin} did to the processor. */
    void end() {}

    /** Sets the sums of the stream at hand to zero. */
    abstract void clear();

    /** Adds the products of a unit of the stream at hand to the sums. */
    abstract void unit();

    /** The register that holds some rows' sums of a column after the last unit; may load it. */
    abstract int sum(int column, int vector);

    /** Place of weights of the unit and the stream at hand, from {@link #WEIGHTS}. */
    final int weightsAt(int offset) {
        return stream * streams.tileBytes + offset;
    }

    private void eachStream(Runnable code) {
        for (stream = 0; stream < streams.count; stream++) {
            code.run();
        }
        stream = 0;
    }

    final byte[] write(boolean add) {
        asm.load(TILES, ARGUMENTS, Arguments.TILES);
        begin();
        int tile = asm.label();
        asm.move(VALUES, ALL_VALUES);
        asm.move(FIELDS, ALL_FIELDS);
        asm.load(UNITS, ARGUMENTS, Arguments.UNITS);
        eachStream(this::clear);
        int unit = asm.label();
        eachStream(this::unit);
        asm.addConstant(WEIGHTS, layout.unitBytes());
        advance();
        asm.loop(UNITS, unit);
        store(add);
        if (streams.count > 1) {
            asm.addConstant(WEIGHTS, (streams.count - 1) * streams.tileBytes);
        }
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
            int each = column;
            eachStream(() -> storeColumn(each, tileBytes, add));
            asm.add(VALUES, FIELDS);
        }
        asm.addConstant(PRODUCTS, streams.count * tileBytes);
    }

    private void storeColumn(int column, int tileBytes, boolean add) {
        for (int vector = 0; vector < tileBytes / vectorBytes; vector++) {
            int sum = sum(column, vector);
            int at = stream * tileBytes + vector * vectorBytes;
            if (add) {
                asm.memory(Assembler.ADD_FLOATS, sum, sum, VALUES, at);
            }
            asm.memory(Assembler.STORE, sum, 0, VALUES, at);
        }
    }

    /** Fetches a part of the weights ahead. */
    final void fetchAhead(int part, int parts) {
        int lines = layout.unitBytes() / LINE;
        for (int line = lines * part / parts; line < lines * (part + 1) / parts; line++) {
            asm.fetch(2, WEIGHTS, weightsAt(AHEAD + line * LINE));
        }
    }
}
