package io.llava4j.image;

/**
 * A decoded image: 8-bit RGB, row-major, top row first, {@code pixels[(y * width + x) * 3 + channel]}.
 *
 * @param width in pixels, at least 1
 * @param height in pixels, at least 1
 * @param pixels {@code width * height * 3} bytes
 */
public record RgbImage(int width, int height, byte[] pixels) {
    /** @throws IllegalArgumentException if the sizes do not fit each other */
    public RgbImage {
        if (width < 1 || height < 1 || (long) width * height * 3 != pixels.length) {
            throw new IllegalArgumentException(
                    "an image of %d x %d pixels cannot hold %d bytes".formatted(width, height, pixels.length));
        }
    }
}
