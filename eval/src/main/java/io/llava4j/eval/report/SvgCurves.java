package io.llava4j.eval.report;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.DoubleUnaryOperator;

/**
 * Draws a stage's loss with its learning rate below as inline SVG: sharp at any size, coloured by the page's style sheet,
 * no fonts or display needed.
 */
final class SvgCurves {
    private static final int WIDTH = 460;
    private static final int HEIGHT = 292;
    private static final int LEFT = 40;
    private static final int RIGHT = 452;
    private static final int LOSS_TOP = 12;
    private static final int LOSS_BOTTOM = 186;
    private static final int RATE_TOP = 214;
    private static final int RATE_BOTTOM = 254;
    private static final int MOST_POINTS = 400;

    private SvgCurves() {}

    /** The chart; empty where the curve has fewer than two steps. */
    static String draw(TrainingCurve curve) {
        int count = curve.steps().length;
        if (count < 2) {
            return "";
        }
        double[] smooth = curve.smoothed();
        Axis steps = new Axis(curve.steps()[0], curve.steps()[count - 1], LEFT, RIGHT);
        Axis loss = Axis.over(curve.loss(), LOSS_BOTTOM, LOSS_TOP);
        Axis rate = Axis.over(curve.learningRate(), RATE_BOTTOM, RATE_TOP);
        StringBuilder svg = new StringBuilder();
        svg.append(format(
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">",
                WIDTH, HEIGHT, Html.escape(description(curve, smooth))));
        for (double tick : loss.ticks(5)) {
            double y = loss.at(tick);
            svg.append(format("<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>", LEFT, RIGHT, y, y));
            svg.append(format(
                    "<text class=\"tick end\" x=\"%d\" y=\"%.1f\">%s</text>", LEFT - 7, y + 4, Axis.label(tick)));
        }
        for (double tick : steps.ticks(6)) {
            svg.append(format(
                    "<text class=\"tick middle\" x=\"%.1f\" y=\"%d\">%s</text>",
                    steps.at(tick), RATE_BOTTOM + 18, Axis.label(tick)));
        }
        double peak = Arrays.stream(curve.learningRate())
                .filter(Double::isFinite)
                .max()
                .orElse(0);
        svg.append(format(
                "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>",
                LEFT, RIGHT, RATE_BOTTOM, RATE_BOTTOM));
        svg.append(format(
                "<text class=\"name\" x=\"%d\" y=\"%d\">learning rate, peak %s</text>",
                LEFT, RATE_TOP - 6, Axis.label(peak)));
        svg.append(format("<text class=\"name end\" x=\"%d\" y=\"%d\">loss</text>", RIGHT, LOSS_TOP + 4));
        svg.append(format("<text class=\"name middle\" x=\"%d\" y=\"%d\">step</text>", (LEFT + RIGHT) / 2, HEIGHT - 4));
        svg.append(path("raw", curve.steps(), curve.loss(), steps::at, loss::at));
        svg.append(path("smooth", curve.steps(), smooth, steps::at, loss::at));
        svg.append(path("rate", curve.steps(), curve.learningRate(), steps::at, rate::at));
        return svg.append("</svg>").toString();
    }

    private static String description(TrainingCurve curve, double[] smooth) {
        return format(
                "%s: smoothed loss from %.3g at step %.0f to %.3g at step %.0f",
                curve.name(), smooth[0], curve.steps()[0], smooth[smooth.length - 1], curve.steps()[smooth.length - 1]);
    }

    /** A polyline through the means of at most {@value #MOST_POINTS} segments; gaps where nothing is finite. */
    private static String path(String style, double[] x, double[] y, DoubleUnaryOperator toX, DoubleUnaryOperator toY) {
        StringBuilder path = new StringBuilder();
        int stride = Math.max(1, (x.length + MOST_POINTS - 1) / MOST_POINTS);
        char command = 'M';
        for (int from = 0; from < x.length; from += stride) {
            int to = Math.min(from + stride, x.length);
            double value = Arrays.stream(y, from, to)
                    .filter(Double::isFinite)
                    .average()
                    .orElse(Double.NaN);
            if (Double.isNaN(value)) {
                command = 'M';
            } else {
                double middle = Arrays.stream(x, from, to).average().orElse(x[from]);
                path.append(format("%c%.1f %.1f", command, toX.applyAsDouble(middle), toY.applyAsDouble(value)));
                command = 'L';
            }
        }
        return "<path class=\"%s\" d=\"%s\"/>".formatted(style, path);
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would need a library of its own
    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
