package io.llava4j.nano.world;

import io.llava4j.train.data.Box;

/**
 * A rectangle in fractions of the image's edge, origin top left: independent of the size of the image.
 *
 * @param left smallest x
 * @param top smallest y
 * @param right largest x
 * @param bottom largest y
 */
public record Extent(double left, double top, double right, double bottom) {
    /** Width as a fraction of the edge. */
    public double width() {
        return right - left;
    }

    /** Height as a fraction of the edge. */
    public double height() {
        return bottom - top;
    }

    /** Horizontal centre as a fraction of the edge. */
    public double centreX() {
        return (left + right) / 2;
    }

    /** Vertical centre as a fraction of the edge. */
    public double centreY() {
        return (top + bottom) / 2;
    }

    /** This rectangle as a box of the training data; scenes are square, so padding changes nothing (docs/reference/data.md#boxes). */
    public Box toBox() {
        return new Box(left, top, right, bottom);
    }

    /** Area of the intersection as a fraction of the smaller of both boxes. */
    double overlap(Extent other) {
        double w = Math.min(right, other.right) - Math.max(left, other.left);
        double h = Math.min(bottom, other.bottom) - Math.max(top, other.top);
        if (w <= 0 || h <= 0) {
            return 0;
        }
        return w * h / Math.min(width() * height(), other.width() * other.height());
    }
}
