package io.llava4j.nano.world;

import java.util.Map;
import java.util.stream.Collectors;

/**
 * Tints drawings: the lightness stays, so that the shape remains visible, and every colour becomes a shade of the tint, from
 * dark to light.
 */
final class Dye {
    /** Lightness of black and of white after tinting: pure black or white would show no colour. */
    private static final double DARKEST = 0.3;

    private static final double LIGHTEST = 0.85;
    /** Lightness at which the tint itself is shown. */
    private static final double PURE = 0.62;

    private static final Map<NamedColor, int[]> TABLES =
            NamedColor.TINTS.stream().collect(Collectors.toUnmodifiableMap(color -> color, Dye::table));

    private Dye() {}

    /** The tinted colour {@code 0xRRGGBB} for each luma 0..255. */
    static int[] of(NamedColor tint) {
        int[] table = TABLES.get(tint);
        return table == null ? table(tint) : table;
    }

    private static int[] table(NamedColor tint) {
        int[] table = new int[256];
        for (int luma = 0; luma < 256; luma++) {
            double lightness = DARKEST + (LIGHTEST - DARKEST) * luma / 255;
            table[luma] = channel(tint.red(), lightness) << 16
                    | channel(tint.green(), lightness) << 8
                    | channel(tint.blue(), lightness);
        }
        return table;
    }

    private static int channel(int tint, double lightness) {
        double value =
                lightness < PURE ? tint * lightness / PURE : tint + (255 - tint) * (lightness - PURE) / (1 - PURE);
        return Math.clamp(Math.round(value), 0, 255);
    }
}
