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

    /**
     * The image as it is meant to be seen.
     *
     * @param orientation EXIF's, from 1 to 8: 1 as it is, 2 mirrored, 3 turned by 180°, 4 upside down, 5 transposed, 6 turned
     *     by 90° clockwise, 7 transposed along the other diagonal, 8 turned by 90° counter-clockwise
     */
    RgbImage oriented(int orientation) {
        if (orientation == 1) {
            return this;
        }
        boolean swapped = orientation >= 5;
        boolean right = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
        boolean bottom = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
        int newWidth = swapped ? height : width;
        int newHeight = swapped ? width : height;
        byte[] seen = new byte[pixels.length];
        for (int y = 0; y < newHeight; y++) {
            for (int x = 0; x < newWidth; x++) {
                int storedX = swapped ? y : x;
                int storedY = swapped ? x : y;
                int fromX = right ? width - 1 - storedX : storedX;
                int fromY = bottom ? height - 1 - storedY : storedY;
                System.arraycopy(pixels, (fromY * width + fromX) * 3, seen, (y * newWidth + x) * 3, 3);
            }
        }
        return new RgbImage(newWidth, newHeight, seen);
    }
}
