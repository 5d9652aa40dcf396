package io.llava4j.train.data;

/**
 * A box in fractions of the image's edges; all between 0 and 1 if it lies inside.
 *
 * @param x1 left
 * @param y1 top
 * @param x2 right
 * @param y2 bottom
 */
public record Box(double x1, double y1, double x2, double y2) {
    /** Whether the box lies inside the image and its corners are in order. */
    public boolean isInside() {
        return 0 <= x1 && x1 <= x2 && x2 <= 1 && 0 <= y1 && y1 <= y2 && y2 <= 1;
    }
}
