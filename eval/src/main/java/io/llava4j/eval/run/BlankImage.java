package io.llava4j.eval.run;

import io.llava4j.image.RgbImage;

/** The image of the blind condition: CLIP's mean colour, which is close to zero after normalisation. */
public final class BlankImage {
    private static final byte RED = 122;
    private static final byte GREEN = 116;
    private static final byte BLUE = 104;
    private static final int EDGE = 336;

    /** A blank image of 336 x 336 pixels, where the size of the real one is not known. */
    static final RgbImage STANDARD = like(new RgbImage(EDGE, EDGE, new byte[3 * EDGE * EDGE]));

    private BlankImage() {}

    /** A blank image of the same size. */
    public static RgbImage like(RgbImage image) {
        byte[] pixels = new byte[image.pixels().length];
        for (int i = 0; i < pixels.length; i += 3) {
            pixels[i] = RED;
            pixels[i + 1] = GREEN;
            pixels[i + 2] = BLUE;
        }
        return new RgbImage(image.width(), image.height(), pixels);
    }
}
