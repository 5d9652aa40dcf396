package io.llava4j.tensor.kernel;

/**
 * Products of blocks with AMX: one instruction adds up a block for all rows of a tile and all columns. The sums of ints go
 * through memory to the vector registers. Elements are signed bytes ({@link SignedByteCode}). Registers: 0 products, 12
 * scales, 13 minima or second scales, 15 scratch, 16 to 31 sums of the columns. Tiles: 0 to 3 sums, 4 and 6 columns, 5 and 7
 * elements.
 */
final class AmxBlockCode extends BlockCode {
    static final int COLUMNS = 16;

    /** With fewer columns the vector units are as fast. */
    static final int LEAST_COLUMNS = 5;

    /** Columns that repay making signed bytes of weights. */
    static final int LEAST_COLUMNS_TO_PREPARE = 64;

    private static final int STRIDE = Assembler.RBX;
    private static final int PRODUCTS = 0;
    private static final int SCALES = 12;
    private static final int MINIMA = 13;
    private static final int SCRATCH = 15;
    private static final int SUMS = 16;
    private static final int COLUMN_TILE = 4;
    private static final int ELEMENT_TILE = 5;
    private static final int TILES = 8;
    private static final int UNITS_AHEAD = 2;

    private final int parts;

    AmxBlockCode(PackedLayout layout, int columns) {
        super(layout, columns, Streams.ONE, true);
        this.parts = hasTwoSums() ? 2 : 1;
    }

    @Override
    void begin() {
        asm.push(STRIDE);
        asm.set(STRIDE, PackedLayout.BLOCK);
        asm.configureTiles(tiles());
    }

    /** The table of the first palette: from byte 16 the bytes of a row of each tile, from byte 48 its rows. */
    private byte[] tiles() {
        byte[] table = new byte[64];
        table[0] = 1;
        for (int tile = 0; tile < TILES; tile++) {
            boolean holdsColumns = tile >= COLUMN_TILE && tile % 2 == 0;
            boolean holdsElements = tile >= COLUMN_TILE && tile % 2 == 1;
            table[16 + 2 * tile] = (byte) (holdsColumns ? PackedLayout.BLOCK / parts : Packer.VECTOR);
            table[48 + tile] = (byte) (holdsElements ? VECTORS / parts : columns);
        }
        return table;
    }

    @Override
    void end() {
        asm.releaseTiles();
        asm.pop(STRIDE);
    }

    @Override
    void clear() {
        for (int column = 0; column < columns; column++) {
            asm.registers(Assembler.XOR, SUMS + column, SUMS + column, SUMS + column);
        }
    }

    @Override
    int sum(int column, int vector) {
        return SUMS + column;
    }

    /** The ints of two blocks first: they are on their way while those of the blocks before are scaled. */
    @Override
    void unit() {
        for (int block = 0; block < layout.unitColumns() / PackedLayout.BLOCK; block += 2) {
            integers(block);
            fetch(block);
            integers(block + 1);
            fetch(block + 1);
            block(block);
            block(block + 1);
        }
    }

    /** Fetches what a block of a later unit reads: a tenth faster than what the processor fetches by itself. */
    private void fetch(int block) {
        int blocks = layout.unitColumns() / PackedLayout.BLOCK;
        int later = UNITS_AHEAD * blocks + block;
        int bytes = layout.unitBytes() / blocks;
        fetch(WEIGHTS, later * bytes, bytes);
        fetch(VALUES, value(later, 0, 0), columns * PackedLayout.BLOCK);
        fetch(FIELDS, field(later, Activations.SCALE, 0), columns * 2 * Float.BYTES);
    }

    private void fetch(int base, int from, int bytes) {
        for (int at = 0; at < bytes; at += LINE) {
            asm.fetch(1, base, from + at);
        }
    }

    private void integers(int block) {
        int tiles = block % 2 * 2;
        for (int part = 0; part < parts; part++) {
            int elements = layout.elementsAt(block) + part * VECTORS / 2 * Packer.VECTOR;
            asm.clearTile(tiles + part);
            asm.loadTile(COLUMN_TILE + tiles, VALUES, value(block, 0, part * VECTORS / 2), STRIDE, 0);
            asm.loadTile(ELEMENT_TILE + tiles, WEIGHTS, elements, STRIDE, 1);
            asm.dotTiles(tiles + part, COLUMN_TILE + tiles, ELEMENT_TILE + tiles);
            asm.storeTile(tiles + part, ARGUMENTS, sumsAt(block, part), STRIDE, 1);
        }
    }

    private static int sumsAt(int block, int part) {
        return Arguments.INTEGER_SUMS + (block % 2 * 2 + part) * Arguments.TILE_BYTES;
    }

    /** Adds the integer sums of a block, scaled, to the sums of the columns. */
    @Override
    void block(int block) {
        scales(SCALES, SCRATCH, block, 0, 0);
        if (hasMinima() || hasTwoSums()) {
            scales(MINIMA, SCRATCH, block, 1, 0);
        }
        for (int column = 0; column < columns; column++) {
            for (int part = 0; part < parts; part++) {
                int scale = field(block, Activations.SCALE, column);
                asm.memory(
                        Assembler.INTS_TO_FLOATS, PRODUCTS, 0, ARGUMENTS, sumsAt(block, part) + column * Packer.VECTOR);
                asm.broadcast(Assembler.MULTIPLY_FLOATS, SCRATCH, part == 0 ? SCALES : MINIMA, FIELDS, scale);
                asm.registers(Assembler.MULTIPLY_ADD, SUMS + column, PRODUCTS, SCRATCH);
            }
            if (hasMinima()) {
                int scaledSum = field(block, Activations.SCALED_SUM, column);
                asm.broadcast(minimumTerm(), SUMS + column, MINIMA, FIELDS, scaledSum);
            }
        }
    }
}
