package io.llava4j.image.tile;

/**
 * Size of an image or of a canvas.
 *
 * @param width in pixels, at least 1
 * @param height in pixels, at least 1
 */
public record ImageSize(int width, int height) {
    /** @throws IllegalArgumentException if a length is below 1 */
    public ImageSize {
        if (width < 1 || height < 1) {
            throw new IllegalArgumentException("an image of %d x %d pixels has no area".formatted(width, height));
        }
    }

    long area() {
        return (long) width * height;
    }
}
