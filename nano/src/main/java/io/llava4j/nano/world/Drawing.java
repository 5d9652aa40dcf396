package io.llava4j.nano.world;

/**
 * One artist's drawing of one object, cropped to its visible pixels.
 *
 * @param category the name of a {@link Category}
 * @param set the icon set, which stands for the artist
 * @param width pixels, 1 to 96
 * @param height pixels, 1 to 96
 * @param argb height x width pixels, row by row, as non-premultiplied 0xAARRGGBB; shared and never modified
 */
@SuppressWarnings("ArrayRecordComponent") // Pixels are large and never compared.
public record Drawing(String category, String set, int width, int height, int[] argb) {

    public Drawing {
        if (argb.length != width * height) {
            throw new IllegalArgumentException(
                    "A drawing of %d x %d pixels has %d values".formatted(width, height, argb.length));
        }
    }
}
