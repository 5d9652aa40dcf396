package io.llava4j.image;

import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.image.tile.TileGrid;
import io.llava4j.image.tile.Tiling;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Prepares images for a model: as one square, or as the whole image stretched to a square and tiles of it
 * (docs/reference/preprocessing.md#anyres). Immutable and thread-safe.
 */
public final class ImagePreparation {
    private static final int[] BLACK = {0, 0, 0};

    private final ImageProcessor processor;
    private final Tiling tiling;
    private final int cells;

    /**
     * A preparation for a vision tower.
     *
     * @param processor makes one view of an image; {@link AspectMode#ANYRES} adds tiles
     * @param tiling how; {@link Tiling#NONE} for a model that knows no tiles
     * @param cells features of a view along one edge; unused without tiles
     * @throws IllegalArgumentException if images are to be tiled and there is no canvas
     */
    public ImagePreparation(ImageProcessor processor, Tiling tiling, int cells) {
        if (tiling.isNone() && processor.mode() == AspectMode.ANYRES) {
            throw new IllegalArgumentException("images cannot be tiled: the model names no canvases");
        }
        this.processor = processor;
        this.tiling = tiling;
        this.cells = cells;
    }

    /** An image as the model reads it. */
    public PreparedImage prepare(RgbImage image) {
        List<RgbImage> views = views(image);
        int each = 3 * processor.size() * processor.size();
        float[] pixels = new float[Math.multiplyExact(views.size(), each)];
        for (int i = 0; i < views.size(); i++) {
            System.arraycopy(processor.process(views.get(i)), 0, pixels, i * each, each);
        }
        return new PreparedImage(pixels, order(new ImageSize(image.width(), image.height())));
    }

    /** What the vision tower sees of an image, before normalisation: the whole image, then the tiles of its canvas row by row. */
    public List<RgbImage> views(RgbImage image) {
        List<RgbImage> views = new ArrayList<>();
        views.add(processor.resize(image));
        if (processor.mode() == AspectMode.ANYRES) {
            RgbImage canvas = canvas(image);
            int tile = processor.size();
            for (int top = 0; top < canvas.height(); top += tile) {
                for (int left = 0; left < canvas.width(); left += tile) {
                    views.add(tile(canvas, left, top, tile));
                }
            }
        }
        return List.copyOf(views);
    }

    /** The canvas of an image of that size with its tiles; empty where images are not tiled. */
    public Optional<TileGrid> grid(ImageSize image) {
        return processor.mode() == AspectMode.ANYRES
                ? Optional.of(tiling.grid(image, processor.size()))
                : Optional.empty();
    }

    /** What makes one view of an image. */
    public ImageProcessor processor() {
        return processor;
    }

    /** Order of the tokens of an image of that size. */
    public FeatureOrder order(ImageSize image) {
        return processor.mode() == AspectMode.ANYRES
                ? tiling.order(image, processor.size(), cells)
                : tiling.undivided(cells * cells);
    }

    /** An image on the canvas that is cut into its tiles, black around it. */
    public RgbImage canvas(RgbImage image) {
        TileGrid grid = tiling.grid(new ImageSize(image.width(), image.height()), processor.size());
        ImageSize canvas = grid.canvas();
        ImageSize resized = grid.resized();
        byte[] small = Resampler.resample(
                image, whole(image.width(), resized.width()), whole(image.height(), resized.height()), BLACK);
        byte[] pixels = new byte[Math.multiplyExact(canvas.width() * 3, canvas.height())];
        for (int y = 0; y < resized.height(); y++) {
            System.arraycopy(
                    small,
                    y * resized.width() * 3,
                    pixels,
                    ((grid.top() + y) * canvas.width() + grid.left()) * 3,
                    resized.width() * 3);
        }
        return new RgbImage(canvas.width(), canvas.height(), pixels);
    }

    private static ResampleAxis whole(int length, int resized) {
        return ResampleAxis.of(length, length, 0, resized, 0, resized);
    }

    private static RgbImage tile(RgbImage canvas, int left, int top, int tile) {
        byte[] pixels = new byte[tile * tile * 3];
        for (int y = 0; y < tile; y++) {
            System.arraycopy(canvas.pixels(), ((top + y) * canvas.width() + left) * 3, pixels, y * tile * 3, tile * 3);
        }
        return new RgbImage(tile, tile, pixels);
    }
}
