package io.llava4j.nano.world;

import java.util.List;
import java.util.Locale;

/**
 * The words on signs and their 5 x 7 bitmap letters: a JDK may have no fonts, and letters must look the same on every
 * machine.
 */
public final class SignFont {
    /** Common words of 3 to 5 letters. */
    public static final List<String> WORDS = List.of(
            "STOP", "OPEN", "SALE", "EXIT", "TAXI", "CAFE", "SHOP", "BANK", "PARK", "ZOO", "FOOD", "MILK", "TEA",
            "FISH", "CAKE", "SOUP", "RICE", "SALT", "FARM", "HOME", "HOTEL", "BEACH", "LAKE", "ROAD", "NORTH", "SOUTH",
            "EAST", "WEST", "LEFT", "RIGHT", "PUSH", "PULL", "SLOW", "FAST", "HOT", "COLD", "NEW", "OLD", "BIG", "FREE",
            "GO", "YES", "NO", "HELLO", "LOVE", "PEACE", "HAPPY", "MUSIC", "BOOKS", "TOYS", "GAME", "PLAY", "WORK",
            "TIME", "NIGHT", "DAY", "SUN", "RAIN", "SNOW", "WIND", "FIRE", "WATER");

    private static final int GLYPH_WIDTH = 5;
    private static final int GLYPH_HEIGHT = 7;
    private static final int BORDER = 2;
    /** Cells of a board's height. */
    static final int ROWS = GLYPH_HEIGHT + 2 * BORDER;

    private static final int LIGHT = 0xF8F8F0;
    private static final int DARK = 0x202028;
    private static final int SAMPLES = 4;

    /** Seven rows of five bits for each letter from A to Z, highest bit left. */
    private static final long[] GLYPHS = {
        glyph(0x0E, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11), // A
        glyph(0x1E, 0x11, 0x11, 0x1E, 0x11, 0x11, 0x1E), // B
        glyph(0x0E, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0E), // C
        glyph(0x1E, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1E), // D
        glyph(0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F), // E
        glyph(0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x10), // F
        glyph(0x0E, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0E), // G
        glyph(0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11), // H
        glyph(0x0E, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0E), // I
        glyph(0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0C), // J
        glyph(0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11), // K
        glyph(0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1F), // L
        glyph(0x11, 0x1B, 0x15, 0x15, 0x11, 0x11, 0x11), // M
        glyph(0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11), // N
        glyph(0x0E, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E), // O
        glyph(0x1E, 0x11, 0x11, 0x1E, 0x10, 0x10, 0x10), // P
        glyph(0x0E, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0D), // Q
        glyph(0x1E, 0x11, 0x11, 0x1E, 0x14, 0x12, 0x11), // R
        glyph(0x0F, 0x10, 0x10, 0x0E, 0x01, 0x01, 0x1E), // S
        glyph(0x1F, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04), // T
        glyph(0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E), // U
        glyph(0x11, 0x11, 0x11, 0x11, 0x11, 0x0A, 0x04), // V
        glyph(0x11, 0x11, 0x11, 0x15, 0x15, 0x1B, 0x11), // W
        glyph(0x11, 0x11, 0x0A, 0x04, 0x0A, 0x11, 0x11), // X
        glyph(0x11, 0x11, 0x0A, 0x04, 0x04, 0x04, 0x04), // Y
        glyph(0x1F, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1F), // Z
    };

    private SignFont() {}

    private static long glyph(int... rows) {
        long bits = 0;
        for (int row : rows) {
            bits = bits << GLYPH_WIDTH | row;
        }
        return bits;
    }

    /** The word of a sign as questions and answers write it. */
    public static String read(String word) {
        return word.toLowerCase(Locale.ROOT);
    }

    /** Cells of a board's width for a word. */
    static int columns(String word) {
        return (GLYPH_WIDTH + 1) * word.length() - 1 + 2 * BORDER;
    }

    /** Whether a cell of the board is covered by a letter. */
    private static boolean inked(String word, int column, int row) {
        int x = column - BORDER;
        int y = row - BORDER;
        if (x < 0 || y < 0 || y >= GLYPH_HEIGHT || x / (GLYPH_WIDTH + 1) >= word.length()) {
            return false;
        }
        int inGlyph = x % (GLYPH_WIDTH + 1);
        if (inGlyph == GLYPH_WIDTH) {
            return false;
        }
        int bit = (GLYPH_HEIGHT - 1 - y) * GLYPH_WIDTH + GLYPH_WIDTH - 1 - inGlyph;
        return (GLYPHS[word.charAt(x / (GLYPH_WIDTH + 1)) - 'A'] >>> bit & 1) == 1;
    }

    /** Draws the board and its letters, anti-aliased by sampling each pixel at 16 points. */
    static void paint(Sign sign, int[] canvas, int size) {
        Extent box = sign.box();
        int columns = columns(sign.word());
        int board = sign.lightOnDark() ? DARK : LIGHT;
        int ink = sign.lightOnDark() ? LIGHT : DARK;
        int lastX = Math.min(size - 1, (int) (box.right() * size));
        int lastY = Math.min(size - 1, (int) (box.bottom() * size));
        for (int y = (int) (box.top() * size); y <= lastY; y++) {
            for (int x = (int) (box.left() * size); x <= lastX; x++) {
                int onBoard = 0;
                int inked = 0;
                for (int sample = 0; sample < SAMPLES * SAMPLES; sample++) {
                    double atX = (x + (sample % SAMPLES + 0.5) / SAMPLES) / size;
                    double atY = (y + (sample / SAMPLES + 0.5) / SAMPLES) / size;
                    double column = (atX - box.left()) / box.width() * columns;
                    double row = (atY - box.top()) / box.height() * ROWS;
                    if (column >= 0 && row >= 0 && column < columns && row < ROWS) {
                        onBoard++;
                        inked += inked(sign.word(), (int) column, (int) row) ? 1 : 0;
                    }
                }
                if (onBoard > 0) {
                    int color = SceneRenderer.mix(board, ink, inked * 256 / onBoard);
                    int at = y * size + x;
                    canvas[at] = SceneRenderer.mix(canvas[at], color, onBoard * 256 / (SAMPLES * SAMPLES));
                }
            }
        }
    }
}
