package io.llava4j.image;

import java.util.Arrays;

/** Separable 8-bit convolution in Pillow's arithmetic: rows first, rounded to 8 bits, then columns. */
final class Resampler {
    private static final int CHANNELS = 3;

    private Resampler() {}

    /**
     * Resamples an image that lies on a canvas of one colour.
     *
     * @param image the image
     * @param x horizontal weights
     * @param y vertical weights
     * @param canvasColour red, green, blue of the canvas around the image, 0..255
     * @return {@code y.outputs() * x.outputs() * 3} bytes, row-major RGB
     */
    static byte[] resample(RgbImage image, ResampleAxis x, ResampleAxis y, int[] canvasColour) {
        int rowLength = x.outputs() * CHANNELS;
        int outputs = y.outputs();
        // One accumulator row per output row: each source row is filtered once and added to all rows that read it, so
        // memory depends on the result only, however tall the image is.
        int[] sums = new int[Math.multiplyExact(outputs, rowLength)];
        int[] row = new int[rowLength];
        canvasRow(x, canvasColour, row);
        for (int o = 0; o < outputs; o++) {
            Arrays.fill(sums, o * rowLength, (o + 1) * rowLength, ResampleAxis.HALF);
            if (y.outside()[o] != 0) {
                add(sums, o * rowLength, row, y.outside()[o]);
            }
        }
        int first = 0;
        for (int sourceRow = y.start()[0]; sourceRow < y.end()[outputs - 1]; sourceRow++) {
            while (y.end()[first] <= sourceRow) {
                first++;
            }
            filterRow(image, sourceRow, x, canvasColour, row);
            for (int o = first; o < outputs && y.start()[o] <= sourceRow; o++) {
                add(sums, o * rowLength, row, y.weights()[y.weightAt()[o] + sourceRow - y.start()[o]]);
            }
        }
        byte[] pixels = new byte[sums.length];
        for (int i = 0; i < sums.length; i++) {
            pixels[i] = (byte) clip(sums[i]);
        }
        return pixels;
    }

    private static void add(int[] sums, int at, int[] row, int weight) {
        for (int i = 0; i < row.length; i++) {
            sums[at + i] += weight * row[i];
        }
    }

    /** A row of the canvas above or below the image after the horizontal pass. */
    private static void canvasRow(ResampleAxis x, int[] colour, int[] row) {
        for (int i = 0; i < row.length; i++) {
            row[i] = clip(ResampleAxis.HALF + x.total()[i / CHANNELS] * colour[i % CHANNELS]);
        }
    }

    private static void filterRow(RgbImage image, int sourceRow, ResampleAxis x, int[] canvasColour, int[] row) {
        byte[] pixels = image.pixels();
        int[] weights = x.weights();
        int rowAt = sourceRow * image.width() * CHANNELS;
        for (int o = 0; o < x.outputs(); o++) {
            int outside = x.outside()[o];
            int red = ResampleAxis.HALF + outside * canvasColour[0];
            int green = ResampleAxis.HALF + outside * canvasColour[1];
            int blue = ResampleAxis.HALF + outside * canvasColour[2];
            int at = rowAt + x.start()[o] * CHANNELS;
            int weightAt = x.weightAt()[o];
            int taps = x.end()[o] - x.start()[o];
            for (int k = 0; k < taps; k++, at += CHANNELS) {
                int weight = weights[weightAt + k];
                red += weight * (pixels[at] & 0xff);
                green += weight * (pixels[at + 1] & 0xff);
                blue += weight * (pixels[at + 2] & 0xff);
            }
            row[o * CHANNELS] = clip(red);
            row[o * CHANNELS + 1] = clip(green);
            row[o * CHANNELS + 2] = clip(blue);
        }
    }

    private static int clip(int sum) {
        return Math.clamp(sum >> ResampleAxis.FRACTION_BITS, 0, 255);
    }
}
