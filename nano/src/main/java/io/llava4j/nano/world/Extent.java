package io.llava4j.nano.world;

import io.llava4j.train.data.Box;

/**
 * A rectangle in fractions of the image's edge, origin top left: the same at every size the scene is drawn at.
 *
 * @param left smallest x
 * @param top smallest y
 * @param right largest x
 * @param bottom largest y
 */
public record Extent(double left, double top, double right, double bottom) {
    /** Fraction of the edge. */
    public double width() {
        return right - left;
    }

    /** Fraction of the edge. */
    public double height() {
        return bottom - top;
    }

    /** Fraction of the edge. */
    public double centreX() {
        return (left + right) / 2;
    }

    /** Fraction of the edge. */
    public double centreY() {
        return (top + bottom) / 2;
    }

    /** The same as a coordinate box: scenes are square, so nothing changes by padding (docs/reference/data.md#boxes). */
    public Box toBox() {
        return new Box(left, top, right, bottom);
    }

    /** Shared area as a fraction of the smaller of both boxes. */
    double overlap(Extent other) {
        double w = Math.min(right, other.right) - Math.max(left, other.left);
        double h = Math.min(bottom, other.bottom) - Math.max(top, other.top);
        if (w <= 0 || h <= 0) {
            return 0;
        }
        return w * h / Math.min(width() * height(), other.width() * other.height());
    }
}
