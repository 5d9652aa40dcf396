package io.llava4j.image.tile;

import java.util.List;
import java.util.stream.IntStream;

/**
 * A canvas of whole tiles of the vision tower's size, on which an image lies as large as it fits
 * (docs/reference/preprocessing.md#anyres).
 *
 * @param image size of the image before it is resized
 * @param canvas whole tiles in both directions
 * @param tile edge of a tile in pixels
 */
public record TileGrid(ImageSize image, ImageSize canvas, int tile) {
    /** @throws IllegalArgumentException if the canvas does not consist of whole tiles */
    public TileGrid {
        if (canvas.width() % tile != 0 || canvas.height() % tile != 0) {
            throw new IllegalArgumentException("a canvas of %d x %d pixels does not consist of whole tiles of %d"
                    .formatted(canvas.width(), canvas.height(), tile));
        }
    }

    /**
     * The canvas that keeps most pixels of an image; of those, the one with the least padding; of those, the first.
     *
     * @param canvases to choose from, at least one
     */
    public static TileGrid choose(ImageSize image, List<ImageSize> canvases, int tile) {
        ImageSize best = canvases.getFirst();
        for (ImageSize canvas : canvases) {
            long more = keptPixels(image, canvas) - keptPixels(image, best);
            if (more > 0 || more == 0 && wasted(image, canvas) < wasted(image, best)) {
                best = canvas;
            }
        }
        return new TileGrid(image, best, tile);
    }

    private static long keptPixels(ImageSize image, ImageSize canvas) {
        double scale = Math.min((double) canvas.width() / image.width(), (double) canvas.height() / image.height());
        long resized = (long) (image.width() * scale) * (long) (image.height() * scale);
        return Math.min(resized, image.area());
    }

    private static long wasted(ImageSize image, ImageSize canvas) {
        return canvas.area() - keptPixels(image, canvas);
    }

    /** Tiles in a row. */
    public int across() {
        return canvas.width() / tile;
    }

    /** Tiles in a column. */
    public int down() {
        return canvas.height() / tile;
    }

    /** Tiles of the canvas. */
    public int tiles() {
        return across() * down();
    }

    /** Size of the image on the canvas, in whose middle it lies: one edge is the canvas's, the other is rounded up. */
    public ImageSize resized() {
        double byWidth = (double) canvas.width() / image.width();
        double byHeight = (double) canvas.height() / image.height();
        return byWidth < byHeight
                ? new ImageSize(canvas.width(), (int) Math.min(Math.ceil(image.height() * byWidth), canvas.height()))
                : new ImageSize((int) Math.min(Math.ceil(image.width() * byHeight), canvas.width()), canvas.height());
    }

    /** Pixels of the canvas left of the image. */
    public int left() {
        return (canvas.width() - resized().width()) / 2;
    }

    /** Pixels of the canvas above the image. */
    public int top() {
        return (canvas.height() - resized().height()) / 2;
    }

    /**
     * Features of the tiles' map that are not padding only. The arithmetic is LLaVA's own, whose truncated doubles now and then drop
     * a cell on both sides.
     *
     * @param fromRow first row kept
     * @param toRow one past the last row kept
     * @param fromColumn first column kept
     * @param toColumn one past the last column kept
     */
    public record Kept(int fromRow, int toRow, int fromColumn, int toColumn) {}

    /** What is kept of the map of all tiles' features, {@code [down * cells, across * cells]}. */
    public Kept kept(int cells) {
        int columns = across() * cells;
        int rows = down() * cells;
        if ((double) image.width() / image.height() > (double) columns / rows) {
            int inside = (int) (image.height() * ((double) columns / image.width()));
            int padding = (rows - inside) / 2;
            return new Kept(padding, rows - padding, 0, columns);
        }
        int inside = (int) (image.width() * ((double) rows / image.height()));
        int padding = (columns - inside) / 2;
        return new Kept(0, rows, padding, columns - padding);
    }

    /**
     * Order of an image's tokens: all features of the whole image's view, then those of the tiles.
     *
     * @param cells features of a view along one edge
     */
    public FeatureOrder order(int cells, PatchMerge merge) {
        return switch (merge) {
            case FLAT ->
                new FeatureOrder(
                        1 + tiles(),
                        IntStream.range(0, (1 + tiles()) * cells * cells).toArray());
            case SPATIAL -> map(cells, new Kept(0, down() * cells, 0, across() * cells), false);
            case SPATIAL_UNPAD -> map(cells, kept(cells), true);
        };
    }

    /** @param rowEnds whether a row-end token follows each row of the tiles' map */
    private FeatureOrder map(int cells, Kept kept, boolean rowEnds) {
        int perView = cells * cells;
        int rows = kept.toRow() - kept.fromRow();
        int columns = kept.toColumn() - kept.fromColumn();
        int[] sources = new int[perView + rows * (columns + (rowEnds ? 1 : 0))];
        for (int i = 0; i < perView; i++) {
            sources[i] = i;
        }
        int at = perView;
        for (int y = kept.fromRow(); y < kept.toRow(); y++) {
            for (int x = kept.fromColumn(); x < kept.toColumn(); x++) {
                int view = 1 + y / cells * across() + x / cells;
                sources[at++] = view * perView + y % cells * cells + x % cells;
            }
            if (rowEnds) {
                sources[at++] = FeatureOrder.ROW_END;
            }
        }
        return new FeatureOrder(1 + tiles(), sources);
    }
}
