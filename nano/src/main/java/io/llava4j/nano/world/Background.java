package io.llava4j.nano.world;

/**
 * The background of a scene: two shades of one named colour and the pattern that mixes them.
 *
 * @param color its named colour
 * @param pattern how the shades are mixed
 * @param shade first shade, {@code 0xRRGGBB}
 * @param otherShade second shade; unused by {@link Pattern#PLAIN}
 * @param angle direction of gradient and stripes in radians
 * @param period width of one repetition as a fraction of the edge
 * @param noiseSeed seed of {@link Pattern#NOISE}
 */
public record Background(
        NamedColor color, Pattern pattern, int shade, int otherShade, double angle, double period, long noiseSeed) {
    /** Patterns differ in texture only: their contrast is too low to be an object. */
    public enum Pattern {
        PLAIN,
        GRADIENT,
        STRIPES,
        CHECKERS,
        NOISE
    }
}
