package io.llava4j.tensor.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Reference;

/** An implementation of the product of some tiles with a group of columns. */
interface TileKernel {
    /** Most columns of a group; groups of all smaller counts are possible. */
    int groupColumns(PackedLayout layout);

    /**
     * Tiles in the form that {@link #multiply} reads fastest when columns of many groups pass them.
     *
     * @param columns of all groups
     * @return the same numbers; valid until this thread prepares others
     */
    default Tiles prepare(Tiles w, int columns) {
        return w;
    }

    /**
     * Computes all rows of the tiles, rows of padding included.
     *
     * @param y {@code [column, row]} floats, from the first row of the first tile in the first column to the last row in
     *     the last column; off the heap
     * @param stride floats from a column of {@code y} to the next
     * @param add whether the product is added to what {@code y} holds, with one more rounding
     */
    void multiply(Tiles w, Activations.Group x, MemorySegment y, long stride, boolean add);

    /** Rounds blocks of a column; see {@link BlockQuantiser#quantise}, which every implementation equals to the last bit. */
    default void quantise(MemorySegment x, int blocks, MemorySegment values, MemorySegment fields, int columns) {
        new BlockQuantiser().quantise(x, blocks, values, fields, columns);
    }

    /** Reads memory once; what decoding cannot be faster than. */
    default void read(MemorySegment data) {
        long sum = 0;
        int words = (int) (data.byteSize() / Long.BYTES);
        for (int i = 0; i < words; i++) {
            sum += data.getAtIndex(ValueLayout.JAVA_LONG, i);
        }
        Reference.reachabilityFence(sum);
    }

    /**
     * Tiles that follow each other.
     *
     * @param units of a tile
     * @param data {@code [tiles, units]}
     */
    record Tiles(PackedLayout layout, int units, MemorySegment data) {
        int count() {
            return (int) (data.byteSize() / tileBytes());
        }

        long tileBytes() {
            return (long) units * layout.unitBytes();
        }

        MemorySegment tile(int tile) {
            return data.asSlice(tile * tileBytes(), tileBytes());
        }

        /** Some of them. */
        Tiles part(int from, int partCount) {
            return new Tiles(layout, units, data.asSlice(from * tileBytes(), partCount * tileBytes()));
        }
    }
}
