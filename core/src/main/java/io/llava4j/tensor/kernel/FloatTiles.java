package io.llava4j.tensor.kernel;

import io.llava4j.tensor.format.BlockFormat;
import java.lang.foreign.MemorySegment;

/**
 * Products of floats that the caller lays out in tiles itself, such as cached keys and values. Each (row, column) has one
 * chain of fused multiply-adds, as in {@link Kernels}, so results do not depend on the other columns.
 */
public final class FloatTiles {
    /** Rows of a tile: a tile of a matrix {@code [ROWS, in]} lies as {@code [in, ROWS]}. */
    public static final int ROWS = PackedLayout.F32.tileRows();

    private final TileKernel kernel;
    private final PackedLayout layout;

    /** @param format of the elements, F32, F16 or BF16 */
    public FloatTiles(Kernels kernels, BlockFormat format) {
        this.kernel = kernels.kernel();
        this.layout = PackedLayout.of(format);
        if (layout.isQuantised()) {
            throw new IllegalArgumentException(format + " has no floats");
        }
    }

    /** Most columns of a product. */
    public int columns() {
        return kernel.groupColumns(layout);
    }

    /**
     * Computes {@code y[column, row] = sum over k of w[row, k] x[k, column]}.
     *
     * @param w {@code [tiles, in, ROWS]}, off the heap
     * @param in length of a row
     * @param x {@code [in, columns]} floats, off the heap
     * @param y {@code [columns, tiles * ROWS]} floats, off the heap
     * @param stride floats from a column of {@code y} to the next
     * @param add whether the product is added to what {@code y} holds, with one more rounding
     * @throws IllegalArgumentException if sizes do not fit
     */
    public void multiply(
            MemorySegment w, int in, MemorySegment x, int columns, MemorySegment y, long stride, boolean add) {
        TileKernel.Tiles tiles = new TileKernel.Tiles(layout, in, w);
        if (columns < 1 || columns > columns() || w.byteSize() != tiles.count() * tiles.tileBytes()) {
            throw new IllegalArgumentException(
                    "%d columns, %d bytes of tiles of %d".formatted(columns, w.byteSize(), in));
        }
        kernel.multiply(tiles, new Activations.Group(columns, x, MemorySegment.NULL), y, stride, add);
    }
}
