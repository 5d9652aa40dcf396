package io.llava4j.train.data;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Optional;
import java.util.function.DoubleFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Boxes as LLaVA-1.5's region data writes them: in fractions of the image after it was padded to a square
 * (docs/reference/data.md#boxes). The square's edge is the longer side; the image starts
 * {@code floor((longer - shorter) / 2)} pixels from it.
 */
public final class Boxes {
    private static final String NUMBER = "\\s*(-?\\d{1,9}(?:\\.\\d{0,17})?)\\s*";
    private static final Pattern TEXT = Pattern.compile("\\[%1$s,%1$s,%1$s,%1$s]".formatted(NUMBER));

    private Boxes() {}

    /**
     * Converts a box from pixels to fractions of the padded square.
     *
     * @param width of the image in pixels
     * @param height of the image in pixels
     * @param x left edge of the box in pixels
     * @param y top edge of the box in pixels
     * @param boxWidth in pixels
     * @param boxHeight in pixels
     */
    public static Box onPaddedSquare(int width, int height, double x, double y, double boxWidth, double boxHeight) {
        double edge = Math.max(width, height);
        int left = offset(width, height);
        int top = offset(height, width);
        return new Box((x + left) / edge, (y + top) / edge, (x + boxWidth + left) / edge, (y + boxHeight + top) / edge);
    }

    /** Converts a box from pixels to fractions of the image without padding; parameters as {@link #onPaddedSquare}. */
    public static Box onImage(int width, int height, double x, double y, double boxWidth, double boxHeight) {
        return new Box(x / width, y / height, (x + boxWidth) / width, (y + boxHeight) / height);
    }

    /**
     * The inverse of {@link #onPaddedSquare}: corners in pixels of the image.
     *
     * @return {@code x1, y1, x2, y2}; outside the image where the box reaches into the padding
     */
    public static double[] toPixels(Box box, int width, int height) {
        double edge = Math.max(width, height);
        int left = offset(width, height);
        int top = offset(height, width);
        return new double[] {
            box.x1() * edge - left, box.y1() * edge - top, box.x2() * edge - left, box.y2() * edge - top
        };
    }

    /** A box as the training data writes it: two decimals, shortest form, for example {@code [0.28, 0.8, 0.48, 1.0]}. */
    public static String text(Box box) {
        return text(box, value -> Double.toString(round(value).doubleValue()));
    }

    /** A box with exactly two decimals, for example {@code [0.28, 0.80, 0.48, 1.00]}. */
    public static String fixedText(Box box) {
        return text(box, value -> round(value).toPlainString());
    }

    /** The first box in a text, with or without spaces. */
    public static Optional<Box> parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        return matcher.find()
                ? Optional.of(new Box(number(matcher, 1), number(matcher, 2), number(matcher, 3), number(matcher, 4)))
                : Optional.empty();
    }

    private static String text(Box box, DoubleFunction<String> format) {
        return "[%s, %s, %s, %s]"
                .formatted(
                        format.apply(box.x1()), format.apply(box.y1()), format.apply(box.x2()), format.apply(box.y2()));
    }

    /** Rounds the binary value, as Python does; {@code String.format} would round its shortest decimal form. */
    private static BigDecimal round(double value) {
        return new BigDecimal(value).setScale(2, RoundingMode.HALF_EVEN);
    }

    private static int offset(int side, int other) {
        return Math.max(0, other - side) / 2;
    }

    private static double number(Matcher matcher, int group) {
        return Double.parseDouble(matcher.group(group));
    }
}
