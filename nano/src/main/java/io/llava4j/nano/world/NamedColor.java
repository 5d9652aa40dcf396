package io.llava4j.nano.world;

import java.util.List;

/**
 * A colour with its name in questions and answers.
 *
 * @param name English word
 * @param rgb {@code 0xRRGGBB}
 */
public record NamedColor(String name, int rgb) {
    /** Colours an object may be tinted in; different enough to be distinguished at 64 pixels. */
    public static final List<NamedColor> TINTS = List.of(
            new NamedColor("red", 0xE02020),
            new NamedColor("orange", 0xFF8A10),
            new NamedColor("yellow", 0xF5D800),
            new NamedColor("green", 0x1FA32E),
            new NamedColor("blue", 0x1E50E6),
            new NamedColor("purple", 0x8A2BD0),
            new NamedColor("pink", 0xFF69B4),
            new NamedColor("brown", 0x7A431A));

    /** Colours of backgrounds: lighter than the tints, so that objects stand out; on black, black drawings would vanish. */
    public static final List<NamedColor> BACKGROUNDS = List.of(
            new NamedColor("white", 0xFAFAFA),
            new NamedColor("gray", 0xA6A6A6),
            new NamedColor("purple", 0xCFB2F2),
            new NamedColor("yellow", 0xFFF07A),
            new NamedColor("orange", 0xFFB866),
            new NamedColor("green", 0x9BDD96),
            new NamedColor("blue", 0x9CC4FF),
            new NamedColor("pink", 0xFFC2DC));

    int red() {
        return rgb >> 16 & 0xFF;
    }

    int green() {
        return rgb >> 8 & 0xFF;
    }

    int blue() {
        return rgb & 0xFF;
    }
}
