package io.llava4j.nano.world;

import java.util.Arrays;

/** Fills a canvas with a scene's background. */
final class BackgroundPainter {
    private static final int NOISE_CELLS = 12;

    private BackgroundPainter() {}

    /**
     * @param background of the scene
     * @param canvas {@code size * size} pixels {@code 0xRRGGBB}
     * @param size edge in pixels
     */
    static void paint(Background background, int[] canvas, int size) {
        if (background.pattern() == Background.Pattern.PLAIN) {
            Arrays.fill(canvas, background.shade());
            return;
        }
        double cos = StrictMath.cos(background.angle());
        double sin = StrictMath.sin(background.angle());
        double pixel = 1.0 / size;
        for (int row = 0; row < size; row++) {
            double y = (row + 0.5) * pixel;
            for (int column = 0; column < size; column++) {
                double x = (column + 0.5) * pixel;
                double mixed = switch (background.pattern()) {
                    case PLAIN -> 0;
                    case GRADIENT -> 0.5 + (x - 0.5) * cos + (y - 0.5) * sin;
                    case STRIPES -> wave((x * cos + y * sin) / background.period());
                    case CHECKERS -> checker(wave(x / background.period()), wave(y / background.period()));
                    case NOISE -> noise(background.noiseSeed(), x * NOISE_CELLS, y * NOISE_CELLS);
                };
                int weight = (int) Math.rint(Math.clamp(mixed, 0, 1) * 256);
                canvas[row * size + column] =
                        SceneRenderer.mix(background.shade(), background.otherShade(), weight) & 0xFFFFFF;
            }
        }
    }

    /** A square wave of period 1 with short ramps instead of jumps. */
    private static double wave(double at) {
        double phase = Math.abs(at - Math.floor(at) - 0.5) * 4 - 1;
        return Math.clamp(0.5 + phase * 2, 0, 1);
    }

    private static double checker(double a, double b) {
        return a + b - 2 * a * b;
    }

    private static double noise(long seed, double x, double y) {
        int column = (int) x;
        int row = (int) y;
        double wx = x - column;
        double wy = y - row;
        double top = lattice(seed, column, row) * (1 - wx) + lattice(seed, column + 1, row) * wx;
        double bottom = lattice(seed, column, row + 1) * (1 - wx) + lattice(seed, column + 1, row + 1) * wx;
        return top * (1 - wy) + bottom * wy;
    }

    private static double lattice(long seed, int column, int row) {
        return (SplitMix64.mix(seed + column * 1000L + row) >>> 40) * 0x1.0p-24;
    }
}
