package io.llava4j.image.tile;

import java.util.List;

/**
 * How a model tiles images (docs/reference/preprocessing.md#anyres).
 *
 * @param canvases sizes to which images are laid out before they are cut into tiles ({@code image_grid_pinpoints}); empty for a
 *     model that knows no tiles
 * @param merge how the features of the views become tokens
 */
public record Tiling(List<ImageSize> canvases, PatchMerge merge) {
    /** Of LLaVA-1.5, which reads every image as one square. */
    public static final Tiling NONE = new Tiling(List.of(), PatchMerge.FLAT);

    /** Longest edge of a canvas in pixels. */
    public static final int LONGEST = 1 << 14;

    /** @throws IllegalArgumentException if there is a way to merge tiles but no canvas */
    public Tiling {
        canvases = List.copyOf(canvases);
        if (canvases.isEmpty() && merge != PatchMerge.FLAT) {
            throw new IllegalArgumentException("tiles are merged as %s, but there are no canvases".formatted(merge));
        }
    }

    /** Whether an edge of a canvas is some tiles long and not absurdly long. */
    public static boolean isWhole(int length, int tile) {
        return length > 0 && length <= LONGEST && length % tile == 0;
    }

    /** Whether there are no canvases. */
    public boolean isNone() {
        return canvases.isEmpty();
    }

    /** Whether the model has learnt a row-end token. */
    public boolean hasRowEnd() {
        return merge == PatchMerge.SPATIAL_UNPAD;
    }

    /** The canvas of an image with its tiles. */
    public TileGrid grid(ImageSize image, int tile) {
        return TileGrid.choose(image, canvases, tile);
    }

    /**
     * Order of the tokens of a tiled image.
     *
     * @param tile edge of a tile in pixels
     * @param cells features of a view along one edge
     */
    public FeatureOrder order(ImageSize image, int tile, int cells) {
        return grid(image, tile).order(cells, merge);
    }

    /**
     * Order of the tokens of an image that the model sees undivided.
     *
     * @param perView features of a view
     */
    public FeatureOrder undivided(int perView) {
        return hasRowEnd() ? FeatureOrder.oneViewWithRowEnd(perView) : FeatureOrder.ONE_VIEW;
    }
}
