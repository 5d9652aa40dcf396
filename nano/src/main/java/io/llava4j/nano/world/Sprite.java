package io.llava4j.nano.world;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * A drawing prepared for rendering: premultiplied alpha at halved resolutions, built on first use, and the outline, which
 * gives the tight box under rotation. Thread-safe.
 */
public final class Sprite {
    /** Smallest alpha, of 255, of a visible pixel. */
    static final int VISIBLE_ALPHA = 96;

    private static final int MAX_LEVELS = 5;

    private final Drawing drawing;
    private final AtomicReferenceArray<@Nullable Level> levels = new AtomicReferenceArray<>(MAX_LEVELS);
    private final double[] outline;

    Sprite(Drawing drawing) {
        this.drawing = drawing;
        this.outline = outline(drawing);
    }

    /** Name of the icon set. */
    public String set() {
        return drawing.set();
    }

    /** Name of the category. */
    public String category() {
        return drawing.category();
    }

    int width() {
        return drawing.width();
    }

    int height() {
        return drawing.height();
    }

    /**
     * One resolution: premultiplied ARGB with a transparent border of one pixel, so that bilinear sampling needs no
     * bounds checks.
     *
     * @param width without the border
     * @param height without the border
     * @param argb {@code (width + 2) * (height + 2)} pixels
     */
    record Level(int width, int height, int[] argb) {
        int stride() {
            return width + 2;
        }
    }

    /** The drawing halved {@code number} times; at most {@link #coarsest()}. */
    Level level(int number) {
        Level level = levels.get(number);
        if (level == null) {
            // Two threads may both build it; the results are equal.
            level = number == 0 ? premultiplied(drawing) : halved(level(number - 1));
            levels.set(number, level);
            if (number == 1) {
                // The full resolution is rarely needed and takes most of the memory; it is dropped after halving.
                levels.set(0, null);
            }
        }
        return level;
    }

    int coarsest() {
        return MAX_LEVELS - 1;
    }

    /**
     * Extent of the visible pixels after mirroring and rotating about the drawing's middle.
     *
     * @return left, top, right, bottom in pixels of the drawing, relative to its middle
     */
    Extent extent(boolean mirrored, double angle) {
        double cos = StrictMath.cos(angle);
        double sin = StrictMath.sin(angle);
        double left = Double.POSITIVE_INFINITY;
        double top = Double.POSITIVE_INFINITY;
        double right = Double.NEGATIVE_INFINITY;
        double bottom = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < outline.length; i += 2) {
            double x = mirrored ? -outline[i] : outline[i];
            double y = outline[i + 1];
            double rotatedX = x * cos - y * sin;
            double rotatedY = x * sin + y * cos;
            left = Math.min(left, rotatedX);
            right = Math.max(right, rotatedX);
            top = Math.min(top, rotatedY);
            bottom = Math.max(bottom, rotatedY);
        }
        return new Extent(left, top, right, bottom);
    }

    /** Corners of the first and last visible pixel of every row, relative to the middle: (x, y) pairs. */
    private static double[] outline(Drawing drawing) {
        int width = drawing.width();
        int height = drawing.height();
        double[] points = new double[height * 8];
        int count = 0;
        for (int y = 0; y < height; y++) {
            int first = -1;
            int last = -1;
            for (int x = 0; x < width; x++) {
                if (drawing.argb()[y * width + x] >>> 24 >= VISIBLE_ALPHA) {
                    first = first < 0 ? x : first;
                    last = x;
                }
            }
            if (first >= 0) {
                double[] corners = {first, y, last + 1, y, first, y + 1, last + 1, y + 1};
                for (int i = 0; i < corners.length; i += 2) {
                    points[count++] = corners[i] - width / 2.0;
                    points[count++] = corners[i + 1] - height / 2.0;
                }
            }
        }
        if (count == 0) {
            throw new IllegalArgumentException(
                    "the drawing of a %s from %s has no visible pixel".formatted(drawing.category(), drawing.set()));
        }
        return Arrays.copyOf(points, count);
    }

    private static Level premultiplied(Drawing drawing) {
        int width = drawing.width();
        int height = drawing.height();
        int[] out = new int[(width + 2) * (height + 2)];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int argb = drawing.argb()[y * width + x];
                int alpha = argb >>> 24;
                int red = ((argb >> 16 & 0xFF) * alpha + 127) / 255;
                int green = ((argb >> 8 & 0xFF) * alpha + 127) / 255;
                int blue = ((argb & 0xFF) * alpha + 127) / 255;
                out[(y + 1) * (width + 2) + x + 1] = alpha << 24 | red << 16 | green << 8 | blue;
            }
        }
        return new Level(width, height, out);
    }

    /** Area average of 2 x 2 pixels; pixels beyond an odd edge count as transparent, so that nothing shifts. */
    private static Level halved(Level from) {
        int width = (from.width() + 1) / 2;
        int height = (from.height() + 1) / 2;
        int[] out = new int[(width + 2) * (height + 2)];
        int stride = from.stride();
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int at = (2 * y + 1) * stride + 2 * x + 1;
                out[(y + 1) * (width + 2) + x + 1] = average(
                        from.argb()[at], from.argb()[at + 1], from.argb()[at + stride], from.argb()[at + stride + 1]);
            }
        }
        return new Level(width, height, out);
    }

    private static int average(int a, int b, int c, int d) {
        int result = 0;
        for (int shift = 0; shift < 32; shift += 8) {
            int sum = (a >>> shift & 0xFF) + (b >>> shift & 0xFF) + (c >>> shift & 0xFF) + (d >>> shift & 0xFF);
            result |= (sum + 2) / 4 << shift;
        }
        return result;
    }
}
