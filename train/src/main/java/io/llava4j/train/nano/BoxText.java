package io.llava4j.train.nano;

/** Boxes as text (spec/data 5): {@code [x1, y1, x2, y2]}, two decimals, shortest form. */
final class BoxText {
    private BoxText() {}

    /** A scene is square, so fractions of its edge are coordinates after padding already. */
    static String of(Box box) {
        return "[" + number(box.left()) + ", " + number(box.top()) + ", " + number(box.right()) + ", "
                + number(box.bottom()) + "]";
    }

    /** Two decimals without a trailing zero: 0.8, 0.25, 0.0, 1.0. */
    private static String number(double value) {
        return Double.toString(Math.rint(value * 100) / 100);
    }
}
