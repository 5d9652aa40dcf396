package io.llava4j.fuzz;

import io.llava4j.DataException;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;

/** Whatever bytes an image has: a clear refusal, or an image. */
public final class ImageFuzz {
    private ImageFuzz() {}

    public static void fuzzerTestOneInput(byte[] bytes) {
        try {
            RgbImage image = ImageDecoder.decode(bytes, "fuzz");
            if (image.width() < 1 || image.height() < 1) {
                throw new AssertionError(image.width() + " x " + image.height());
            }
        } catch (DataException refused) {
            FuzzFile.requireOneSentence(refused);
        }
    }
}
