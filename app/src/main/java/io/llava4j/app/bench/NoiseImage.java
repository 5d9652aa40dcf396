package io.llava4j.app.bench;

import io.llava4j.image.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.Random;
import javax.imageio.ImageIO;

/** Square images of random pixels: none equals another, so no cache of images helps. */
final class NoiseImage {
    private NoiseImage() {}

    /** Draws the pixels. */
    static RgbImage draw(int edge, Random random) {
        byte[] pixels = new byte[3 * edge * edge];
        random.nextBytes(pixels);
        return new RgbImage(edge, edge, pixels);
    }

    /** The image as a {@code data:} address of a PNG file. */
    static String address(RgbImage image) {
        BufferedImage copy = new BufferedImage(image.width(), image.height(), BufferedImage.TYPE_INT_RGB);
        byte[] pixels = image.pixels();
        for (int i = 0; i < image.width() * image.height(); i++) {
            int rgb = (pixels[3 * i] & 255) << 16 | (pixels[3 * i + 1] & 255) << 8 | pixels[3 * i + 2] & 255;
            copy.setRGB(i % image.width(), i / image.width(), rgb);
        }
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try {
            ImageIO.write(copy, "png", file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(file.toByteArray());
    }
}
