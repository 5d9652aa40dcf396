package io.llava4j.train.data.check;

import io.llava4j.image.RgbImage;
import java.util.Arrays;

/**
 * A perceptual hash of an image in 256 bits: grey values averaged on a grid of 17 x 16, one bit for each two neighbours in
 * a row, set if the right one is brighter. Scaling and compression of an image change few bits.
 *
 * @param a rows 0 to 3
 * @param b rows 4 to 7
 * @param c rows 8 to 11
 * @param d rows 12 to 15
 */
record PerceptualHash(long a, long b, long c, long d) {
    private static final int ROWS = 16;
    private static final int COLUMNS = 17;
    /** Smallest difference of two neighbours, of 255, that sets a bit; smaller ones are noise. */
    private static final double NOISE = 1.0;

    static PerceptualHash of(RgbImage image) {
        double[] grid = grid(image);
        long[] words = new long[4];
        for (int y = 0; y < ROWS; y++) {
            for (int x = 0; x + 1 < COLUMNS; x++) {
                int bit = y * (COLUMNS - 1) + x;
                if (grid[y * COLUMNS + x + 1] - grid[y * COLUMNS + x] > NOISE) {
                    words[bit >> 6] |= 1L << (bit & 63);
                }
            }
        }
        return new PerceptualHash(words[0], words[1], words[2], words[3]);
    }

    /** Number of different bits. */
    int distance(PerceptualHash other) {
        return Long.bitCount(a ^ other.a)
                + Long.bitCount(b ^ other.b)
                + Long.bitCount(c ^ other.c)
                + Long.bitCount(d ^ other.d);
    }

    /** Sixteen bits of the hash. */
    int chunk(int index) {
        long word = switch (index >> 2) {
            case 0 -> a;
            case 1 -> b;
            case 2 -> c;
            default -> d;
        };
        return (int) (word >>> 16 * (index & 3)) & 0xffff;
    }

    /** Whether the image is nearly uniform, so that its hash equals that of any other uniform image. */
    boolean isFlat() {
        return Long.bitCount(a) + Long.bitCount(b) + Long.bitCount(c) + Long.bitCount(d) < 24;
    }

    /** Mean grey of each cell; pixels on a border count for both cells in proportion, so that scaling changes little. */
    private static double[] grid(RgbImage image) {
        byte[] pixels = image.pixels();
        double[] grid = new double[ROWS * COLUMNS];
        double[] grey = new double[image.width()];
        double cellHeight = (double) image.height() / ROWS;
        double cellWidth = (double) image.width() / COLUMNS;
        for (int row = 0; row < ROWS; row++) {
            double top = row * cellHeight;
            int last = Math.min(image.height(), (int) Math.ceil(top + cellHeight));
            Arrays.fill(grey, 0);
            for (int y = (int) top; y < last; y++) {
                double share = share(y, top, cellHeight);
                int at = y * image.width() * 3;
                for (int x = 0; x < grey.length; x++, at += 3) {
                    int sum = 299 * (pixels[at] & 0xff) + 587 * (pixels[at + 1] & 0xff) + 114 * (pixels[at + 2] & 0xff);
                    grey[x] += share * sum;
                }
            }
            for (int column = 0; column < COLUMNS; column++) {
                double left = column * cellWidth;
                double sum = 0;
                for (int x = (int) left; x < Math.min(grey.length, (int) Math.ceil(left + cellWidth)); x++) {
                    sum += share(x, left, cellWidth) * grey[x];
                }
                grid[row * COLUMNS + column] = sum / 1000.0 / (cellHeight * cellWidth);
            }
        }
        return grid;
    }

    /** Fraction of a pixel in a cell. */
    private static double share(int pixel, double start, double length) {
        return Math.max(0, Math.min(pixel + 1.0, start + length) - Math.max(pixel, start));
    }
}
