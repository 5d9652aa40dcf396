package io.llava4j.eval.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * The paper's figure 1: one axis for each benchmark, from zero in the middle to the best shown at the rim, whose value stands
 * beside the name. An axis without signal is dashed, its name has a sign, and the first polygon's corner on it is hollow. An SVG
 * that stands alone and follows light and dark.
 */
final class RadarChart {
    private static final int WIDTH = 840;
    private static final int MIDDLE_X = WIDTH / 2;
    private static final int MIDDLE_Y = 292;
    private static final int RADIUS = 214;
    private static final int RINGS = 4;
    private static final int LABEL_LINE = 17;
    private static final int LEGEND_TOP = 584;
    private static final int LEGEND_LEFT = 116;
    private static final int LEGEND_LINE = 24;
    private static final int LEGEND_COLUMN = 330;
    private static final int LONGEST_NAME = 40;
    private static final String STYLE = """
            <style>
            .radar { --ink: #211f1c; --soft: #6b665e; --line: #cfc9bc; --faint: #e9e5dc; --hollow: #fbfaf7;
              --s0: #1d6a74; --s1: #c9973f; --s2: #8a4f7d; --s3: #6f7f3a; --s4: #9d968a; --s5: #b1483a; }
            @media (prefers-color-scheme: dark) { .radar { --ink: #e8e4db; --soft: #a19b8f; --line: #4a4f52; --faint: #2c3033; --hollow: #16181a;
              --s0: #5fb9c1; --s1: #d3a75a; --s2: #c58bb9; --s3: #a9bb6c; --s4: #8d877c; --s5: #e58674; } }
            .radar text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; fill: var(--soft); }
            .radar .axis-name { fill: var(--ink); font-weight: 600; font-size: 13.5px; }
            .radar .ring { fill: none; stroke: var(--faint); } .radar .rim { fill: none; stroke: var(--line); }
            .radar .spoke { stroke: var(--faint); } .radar .no-signal { stroke: var(--soft); stroke-dasharray: 2 5; }
            .radar .hollow { fill: var(--hollow); stroke-width: 2; }
            .radar .shape { stroke-width: 1.75; stroke-linejoin: round; fill-opacity: 0; }
            .radar .first { stroke-width: 2.75; fill-opacity: .13; }
            @media (max-width: 560px) { .radar { overflow: visible; } .radar text, .radar .axis-name { font-size: 18px; } }
            </style>""";

    /**
     * An axis.
     *
     * @param signal false marks it
     */
    record Spoke(String name, boolean signal) {}

    /**
     * A polygon.
     *
     * @param name in the legend
     * @param values one per axis; an axis without one is left out of the outline
     */
    record Series(String name, List<OptionalDouble> values) {}

    private RadarChart() {}

    /**
     * Draws.
     *
     * @param axes at least three
     * @param series the first is drawn boldest and on top; at most six
     * @return an SVG element; empty if there are fewer than three axes
     */
    static String draw(List<Spoke> axes, List<Series> series) {
        int count = axes.size();
        if (count < 3) {
            return "";
        }
        boolean marks = axes.stream().anyMatch(axis -> !axis.signal());
        int lines = (series.size() + 1) / 2;
        int height = LEGEND_TOP + LEGEND_LINE * (lines + (marks ? 1 : 0)) + 8;
        StringBuilder svg = new StringBuilder(format(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"radar\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n%s\n",
                WIDTH, height, Html.escape(description(axes, series)), STYLE));
        for (int ring = 1; ring <= RINGS; ring++) {
            List<double[]> corners = new ArrayList<>();
            for (int axis = 0; axis < count; axis++) {
                corners.add(point(axis, count, (double) ring / RINGS));
            }
            svg.append(format("<path class=\"%s\" d=\"%s\"/>\n", ring == RINGS ? "rim" : "ring", outline(corners)));
        }
        double[] best = new double[count];
        for (int axis = 0; axis < count; axis++) {
            for (Series one : series) {
                best[axis] = Math.max(best[axis], one.values().get(axis).orElse(0));
            }
            double[] rim = point(axis, count, 1);
            svg.append(format(
                    "<line class=\"spoke%s\" x1=\"%d\" y1=\"%d\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
                    axes.get(axis).signal() ? "" : " no-signal", MIDDLE_X, MIDDLE_Y, rim[0], rim[1]));
            svg.append(label(axes.get(axis), best[axis], axis, count));
        }
        for (int i = series.size() - 1; i >= 0; i--) {
            svg.append(shape(series.get(i), i, best, axes));
        }
        for (int i = 0; i < series.size(); i++) {
            int x = LEGEND_LEFT + (i % 2) * LEGEND_COLUMN;
            int y = LEGEND_TOP + LEGEND_LINE * (i / 2);
            svg.append(format(
                    "<line x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"var(--s%d)\" stroke-width=\"%s\"/>"
                            + "<text x=\"%d\" y=\"%d\">%s</text>\n",
                    x,
                    x + 26,
                    y - 4,
                    y - 4,
                    i,
                    i == 0 ? "3.5" : "2.5",
                    x + 36,
                    y,
                    Html.escape(shortened(series.get(i).name()))));
        }
        if (marks) {
            int y = LEGEND_TOP + LEGEND_LINE * lines;
            svg.append(dot(LEGEND_LEFT + 13, y - 4, 0, true))
                    .append(format(
                            "<text x=\"%d\" y=\"%d\">%s</text>\n",
                            LEGEND_LEFT + 36, y, Html.escape(RunComparison.NO_SIGNAL)));
        }
        return svg.append("</svg>\n").toString();
    }

    private static String shortened(String name) {
        return name.length() > LONGEST_NAME ? name.substring(0, LONGEST_NAME - 1) + "\u2026" : name;
    }

    private static String shape(Series series, int number, double[] best, List<Spoke> axes) {
        List<double[]> points = new ArrayList<>();
        StringBuilder dots = new StringBuilder();
        for (int axis = 0; axis < best.length; axis++) {
            OptionalDouble value = series.values().get(axis);
            if (value.isPresent() && best[axis] > 0) {
                double[] at = point(axis, best.length, Math.max(0, value.getAsDouble()) / best[axis]);
                points.add(at);
                dots.append(
                        dot(at[0], at[1], number, number == 0 && !axes.get(axis).signal()));
            }
        }
        StringBuilder svg = new StringBuilder();
        if (points.size() > 2) {
            svg.append(format(
                    "<path class=\"shape%s\" style=\"stroke: var(--s%d); fill: var(--s%d)\" d=\"%s\"/>\n",
                    number == 0 ? " first" : "", number, number, outline(points)));
        }
        return svg.append(dots).toString();
    }

    private static String dot(double x, double y, int number, boolean hollow) {
        return hollow
                ? format(
                        "<circle class=\"hollow\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\" stroke=\"var(--s%d)\"/>\n",
                        x, y, number)
                : format(
                        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%s\" fill=\"var(--s%d)\"/>\n",
                        x, y, number == 0 ? "3.6" : "2.6", number);
    }

    private static String label(Spoke spoke, double best, int axis, int count) {
        double[] at = point(axis, count, 1 + 18.0 / RADIUS);
        double side = at[0] - MIDDLE_X;
        String anchor = Math.abs(side) < 12 ? "middle" : side > 0 ? "start" : "end";
        // Above the chart the lines grow upwards, below it downwards.
        double y = at[1] + (at[1] < MIDDLE_Y - RADIUS / 2.0 ? -12 : at[1] > MIDDLE_Y + RADIUS / 2.0 ? 10 : -3);
        return format(
                "<text class=\"axis-name\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>"
                        + "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
                at[0],
                y,
                anchor,
                Html.escape(spoke.signal() ? spoke.name() : RunComparison.SIGN + " " + spoke.name()),
                at[0],
                y + LABEL_LINE,
                anchor,
                number(best) + (spoke.signal() ? "" : ", no signal"));
    }

    private static String outline(List<double[]> points) {
        StringBuilder path = new StringBuilder();
        for (double[] point : points) {
            path.append(format("%s%.1f %.1f", path.isEmpty() ? "M" : "L", point[0], point[1]));
        }
        return path.append('Z').toString();
    }

    /** Clockwise from the top. */
    private static double[] point(int axis, int count, double share) {
        double angle = 2 * Math.PI * axis / count;
        return new double[] {MIDDLE_X + RADIUS * share * Math.sin(angle), MIDDLE_Y - RADIUS * share * Math.cos(angle)};
    }

    private static String description(List<Spoke> axes, List<Series> series) {
        List<String> parts = new ArrayList<>();
        for (Series one : series) {
            List<String> values = new ArrayList<>();
            for (int axis = 0; axis < axes.size(); axis++) {
                if (one.values().get(axis).isPresent()) {
                    values.add(axes.get(axis).name() + " "
                            + number(one.values().get(axis).getAsDouble()));
                }
            }
            parts.add(one.name() + ": " + String.join(", ", values));
        }
        List<String> marked =
                axes.stream().filter(axis -> !axis.signal()).map(Spoke::name).toList();
        if (!marked.isEmpty()) {
            parts.add("no signal: " + String.join(", ", marked));
        }
        return String.join("; ", parts);
    }

    private static String number(double value) {
        return format("%.1f", value);
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would need a library of its own
    private static String format(String pattern, Object... values) {
        return String.format(Locale.ROOT, pattern, values);
    }
}
