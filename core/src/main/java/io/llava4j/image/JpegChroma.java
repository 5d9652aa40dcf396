package io.llava4j.image;

import java.awt.image.Raster;
import java.io.IOException;
import javax.imageio.ImageReader;

/**
 * JPEG whose chroma has half the rows but all columns (4:4:0), as a rotation by 90 degrees without loss makes of a 4:2:2
 * photo. libjpeg-turbo interpolates such rows ({@code h1v2_fancy_upsample}), the JDK's libjpeg 6b repeats them, so the
 * upsampling is done here, from the samples that the JDK repeats.
 */
final class JpegChroma {
    private JpegChroma() {}

    /** Whether any component has half the rows of the others, and all columns. */
    static boolean isVerticallyHalved(JpegStream stream) {
        for (int c = 0; c < stream.components(); c++) {
            if (isVerticallyHalved(stream, c)) {
                return true;
            }
        }
        return false;
    }

    private static boolean isVerticallyHalved(JpegStream stream, int component) {
        int horizontal = 0;
        int vertical = 0;
        for (JpegStream.Sampling sampling : stream.sampling()) {
            horizontal = Math.max(horizontal, sampling.horizontal());
            vertical = Math.max(vertical, sampling.vertical());
        }
        JpegStream.Sampling own = stream.sampling().get(component);
        return own.horizontal() == horizontal && 2 * own.vertical() == vertical;
    }

    /** Decodes three components. */
    static RgbImage decode(ImageReader reader, JpegStream stream) throws IOException {
        Raster raster = reader.readRaster(0, null);
        int width = stream.width();
        int height = stream.height();
        byte[] pixels = new byte[width * height * 3];
        int[] samples = new int[width];
        for (int c = 0; c < 3; c++) {
            boolean halved = isVerticallyHalved(stream, c);
            int[] near = new int[width];
            for (int y = 0; y < height; y++) {
                raster.getSamples(0, y, width, 1, c, samples);
                if (halved) {
                    // Even rows lean on the row above, odd ones on the row below; the outermost lean on themselves.
                    int last = (height - 1) / 2 * 2;
                    int neighbour = Math.clamp(y / 2 * 2 + (y % 2 == 0 ? -2 : 2), 0, last);
                    raster.getSamples(0, neighbour, width, 1, c, near);
                    for (int x = 0; x < width; x++) {
                        samples[x] = 3 * samples[x] + near[x] + 1 + y % 2 >> 2;
                    }
                }
                for (int x = 0; x < width; x++) {
                    pixels[(y * width + x) * 3 + c] = (byte) samples[x];
                }
            }
        }
        if (stream.ycc()) {
            toRgb(pixels);
        }
        return new RgbImage(width, height, pixels);
    }

    /** YCbCr to RGB in place, in libjpeg's integer arithmetic. */
    private static void toRgb(byte[] pixels) {
        for (int i = 0; i < pixels.length; i += 3) {
            int y = pixels[i] & 0xff;
            int cb = (pixels[i + 1] & 0xff) - 128;
            int cr = (pixels[i + 2] & 0xff) - 128;
            pixels[i] = (byte) red(y, cr);
            pixels[i + 1] = (byte) green(y, cb, cr);
            pixels[i + 2] = (byte) blue(y, cb);
        }
    }

    /** Red of luma and chroma around 0, in libjpeg's integer arithmetic. */
    static int red(int y, int cr) {
        return Math.clamp(y + ((91881 * cr + 32768) >> 16), 0, 255);
    }

    /** Green, as {@link #red}. */
    static int green(int y, int cb, int cr) {
        return Math.clamp(y + ((-22554 * cb - 46802 * cr + 32768) >> 16), 0, 255);
    }

    /** Blue, as {@link #red}. */
    static int blue(int y, int cb) {
        return Math.clamp(y + ((116130 * cb + 32768) >> 16), 0, 255);
    }
}
