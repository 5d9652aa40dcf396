package io.llava4j.eval.report;

import io.llava4j.eval.statistics.Bootstrap;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.DoubleStream;

/**
 * Means with their intervals, one below the other, and a small mark for each run. An SVG that stands alone and follows light
 * and dark.
 */
final class IntervalChart {
    private static final int WIDTH = 840;
    private static final int LEFT = 250;
    private static final int RIGHT = 820;
    private static final int TOP = 12;
    private static final int ROW = 34;
    private static final int TICKS = 6;
    private static final int LONGEST_NAME = 34;
    private static final String STYLE = """
            <style>
            .intervals { --ink: #211f1c; --soft: #6b665e; --faint: #e9e5dc; --mark: #1d6a74; --run: #c9973f; }
            @media (prefers-color-scheme: dark) { .intervals { --ink: #e8e4db; --soft: #a19b8f; --faint: #2c3033; --mark: #5fb9c1; --run: #d3a75a; } }
            .intervals text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; fill: var(--soft); }
            .intervals .label { fill: var(--ink); text-anchor: end; } .intervals .tick { text-anchor: middle; }
            .intervals .grid { stroke: var(--faint); } .intervals .bar { stroke: var(--mark); stroke-width: 3; stroke-linecap: round; }
            .intervals .mean { fill: var(--mark); } .intervals .run { fill: none; stroke: var(--run); stroke-width: 1.5; }
            </style>""";

    /**
     * A row.
     *
     * @param name beside it
     * @param interval mean and interval
     * @param runs the mean of each run
     */
    record Row(String name, Bootstrap.Interval interval, double[] runs) {}

    private IntervalChart() {}

    /**
     * Draws.
     *
     * @param axis what the numbers are
     * @return an SVG element; empty if no row has a number
     */
    static String draw(String axis, List<Row> rows) {
        double[] all = rows.stream()
                .flatMapToDouble(row -> DoubleStream.concat(
                        DoubleStream.of(row.interval().low(), row.interval().high()), Arrays.stream(row.runs())))
                .filter(Double::isFinite)
                .toArray();
        if (all.length == 0) {
            return "";
        }
        Axis scale = Axis.around(all, LEFT, RIGHT);
        int bottom = TOP + ROW * rows.size();
        StringBuilder svg = new StringBuilder(format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"intervals\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n%s\n",
                WIDTH, bottom + 48, Html.escape(description(axis, rows)), STYLE));
        for (double tick : scale.ticks(TICKS)) {
            double x = scale.at(tick);
            svg.append(format("<line class=\"grid\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>", x, x, TOP, bottom));
            svg.append(
                    format("<text class=\"tick\" x=\"%.1f\" y=\"%d\">%s</text>\n", x, bottom + 18, Axis.label(tick)));
        }
        svg.append(format(
                "<text class=\"tick\" x=\"%d\" y=\"%d\">%s</text>\n",
                (LEFT + RIGHT) / 2, bottom + 40, Html.escape(axis)));
        for (int i = 0; i < rows.size(); i++) {
            svg.append(row(rows.get(i), TOP + ROW * i + ROW / 2, scale));
        }
        return svg.append("</svg>\n").toString();
    }

    private static String row(Row row, int y, Axis scale) {
        String name = row.name().length() > LONGEST_NAME ? row.name().substring(0, LONGEST_NAME - 1) + "…" : row.name();
        StringBuilder svg = new StringBuilder(
                format("<text class=\"label\" x=\"%d\" y=\"%d\">%s</text>", LEFT - 16, y + 5, Html.escape(name)));
        Bootstrap.Interval interval = row.interval();
        if (Double.isFinite(interval.mean())) {
            svg.append(format(
                    "<line class=\"bar\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/><circle class=\"mean\" cx=\"%.1f\" cy=\"%d\" r=\"5.5\"/>",
                    scale.at(interval.low()), scale.at(interval.high()), y, y, scale.at(interval.mean()), y));
        }
        for (double run : row.runs()) {
            if (Double.isFinite(run)) {
                svg.append(format("<circle class=\"run\" cx=\"%.1f\" cy=\"%d\" r=\"3\"/>", scale.at(run), y + 10));
            }
        }
        return svg.append('\n').toString();
    }

    /** The numbers in words, for those who cannot see them. */
    private static String description(String axis, List<Row> rows) {
        StringBuilder text = new StringBuilder(axis).append(':');
        rows.forEach(row -> text.append(format(
                " %s %.1f (%.1f to %.1f);",
                row.name(),
                row.interval().mean(),
                row.interval().low(),
                row.interval().high())));
        return text.toString();
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would need a library of its own
    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
