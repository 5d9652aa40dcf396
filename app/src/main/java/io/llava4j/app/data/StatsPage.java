package io.llava4j.app.data;

import io.llava4j.eval.report.Html;
import io.llava4j.train.data.check.DataStats;
import io.llava4j.train.data.check.Histogram;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** An HTML page with the statistics of {@code data stats}. */
public final class StatsPage {
    private static final int WIDTH = 460;
    private static final int HEIGHT = 220;
    private static final int LEFT = 52;
    private static final int BOTTOM = 34;
    private static final int TOP = 16;
    private static final int BINS = 32;

    private StatsPage() {}

    /**
     * Writes the page atomically.
     *
     * @param file to write
     * @param data file of the data set
     * @param stats its statistics
     * @param cost lines about the cost of a recipe, name and value; empty without a recipe
     */
    public static void write(Path file, Path data, DataStats stats, List<Map.Entry<String, String>> cost) {
        DataPage page = new DataPage(
                "Statistics of " + data.getFileName(),
                "%,d records from %d sources."
                        .formatted(stats.records(), stats.sources().size()));
        page.add("<dl class=\"totals\">\n");
        total(page, "records", Html.count(stats.records()));
        total(page, "questions", Html.count(stats.allAnswers()));
        total(
                page,
                "different images",
                Html.count(stats.sources().values().stream()
                        .mapToInt(DataStats.Source::images)
                        .sum()));
        if (stats.maxLength() > 0) {
            total(page, "of the tokens supervised", Html.percent(100 * stats.supervisedShare()) + " %");
            total(page, "longer than %,d tokens".formatted(stats.maxLength()), Html.count(stats.tooLong()));
        }
        page.add("</dl>\n");
        sources(page, stats);
        page.section("Lengths and sizes");
        page.add("<div class=\"charts\">\n");
        if (stats.maxLength() > 0) {
            plot(page, "Tokens of a record, image tokens included", stats.lengths(), stats.maxLength());
            plot(page, "Supervised tokens of a record", stats.supervised(), 0);
        }
        plot(page, "Questions of a record", stats.questions(), 0);
        if (stats.imageEdges().length > 0) {
            plot(page, "Longer edge of an image in pixels", stats.imageEdges(), 0);
        }
        page.add("</div>\n");
        if (stats.badImages() > 0) {
            page.add(
                    "<p class=\"more\">%s images could not be read; <code>data validate</code> lists them.</p>\n",
                    Html.count(stats.badImages()));
        }
        if (stats.views() > stats.recordImages()) {
            page.add("<p class=\"more\">%s.</p>\n", stats.viewsSentence());
        }
        page.endSection();
        answers(page, stats);
        if (!cost.isEmpty()) {
            page.section("Cost of training");
            page.add("<dl class=\"facts\">\n");
            cost.forEach(line -> page.add(
                    "<div><dt>%s</dt><dd>%s</dd></div>\n", Html.escape(line.getKey()), Html.escape(line.getValue())));
            page.add("</dl>\n");
            page.endSection();
        }
        page.write(file);
    }

    private static void total(DataPage page, String name, String value) {
        page.add("<div><dt>%s</dt><dd>%s</dd></div>\n", Html.escape(name), value);
    }

    private static void sources(DataPage page, DataStats stats) {
        boolean tokens = stats.maxLength() > 0;
        page.section("Sources");
        page.add(
                "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Source</th><th scope=\"col\" class=\"n\">Records</th>"
                        + "<th scope=\"col\">Share</th><th scope=\"col\" class=\"n\">Images</th>"
                        + "<th scope=\"col\" class=\"n\">Questions per record</th>");
        page.add(
                tokens
                        ? "<th scope=\"col\" class=\"n\">Tokens per record</th><th scope=\"col\" class=\"n\">Supervised</th>"
                        : "");
        page.add("</tr></thead>\n<tbody>\n");
        stats.sources().forEach((name, source) -> {
            double share = 100.0 * source.records() / stats.records();
            page.add(
                    "<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td><td><span class=\"share\"><span class=\"track\"><span class=\"bar\" style=\"width:%.1f%%\"></span></span>%s %%</span></td><td class=\"n\">%s</td><td class=\"n\">%s</td>",
                    Html.escape(name),
                    Html.count(source.records()),
                    share,
                    Html.percent(share),
                    Html.count(source.images()),
                    decimal(source.questions(), source.records()));
            if (tokens) {
                page.add(
                        "<td class=\"n\">%s</td><td class=\"n\">%s %%</td>",
                        decimal(source.tokens(), source.records()),
                        source.tokens() == 0 ? "–" : Html.percent(100.0 * source.supervised() / source.tokens()));
            }
            page.add("</tr>\n");
        });
        page.add("</tbody></table></div>\n");
        page.endSection();
    }

    private static String decimal(long sum, int count) {
        return String.format(Locale.ROOT, "%.1f", (double) sum / count);
    }

    private static void answers(DataPage page, DataStats stats) {
        page.section("Most frequent answers");
        page.add(
                "<p>%s answers, %s different ones.</p>\n",
                Html.count(stats.allAnswers()), Html.count(stats.differentAnswers()));
        int most = stats.answers().isEmpty() ? 1 : stats.answers().firstEntry().getValue();
        page.add("<div class=\"bars\">\n");
        stats.answers()
                .forEach((answer, count) -> page.add(
                        "<div class=\"type\"><h3>%s</h3><div class=\"row\"><span class=\"track\"><span class=\"bar\" style=\"background:var(--sighted);width:%.1f%%\"></span></span><span class=\"value\">%s</span></div></div>\n",
                        Html.escape(answer), 100.0 * count / most, Html.count(count)));
        page.add("</div>\n");
        page.endSection();
    }

    /** A histogram as SVG; marks {@code limit} if it is above 0 and within the plot. */
    private static void plot(DataPage page, String title, int[] values, int limit) {
        Histogram histogram = Histogram.of(values, BINS);
        int bins = histogram.counts().length;
        if (bins == 0) {
            return;
        }
        int highest = 1;
        for (int count : histogram.counts()) {
            highest = Math.max(highest, count);
        }
        double bin = (double) (WIDTH - LEFT - 8) / bins;
        double base = HEIGHT - BOTTOM;
        page.add(
                "<figure><figcaption>%s</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
                Html.escape(title), WIDTH, HEIGHT, Html.escape(title));
        for (int part = 0; part <= 2; part++) {
            double y = base - part / 2.0 * (base - TOP);
            page.add(
                    "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text class=\"end\" x=\"%d\" y=\"%.1f\">%s</text>\n",
                    part == 0 ? "axis" : "grid",
                    LEFT,
                    WIDTH - 8,
                    y,
                    y,
                    LEFT - 7,
                    y + 4,
                    Html.count(Math.round(highest * part / 2.0)));
        }
        for (int i = 0; i < bins; i++) {
            double height = histogram.counts()[i] * (base - TOP) / highest;
            page.add(
                    "<rect class=\"fill\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"><title>%s to %s: %s</title></rect>\n",
                    LEFT + i * bin + 0.5,
                    base - height,
                    Math.max(0.5, bin - 1),
                    height,
                    Html.count((long) i * histogram.width()),
                    i == bins - 1 && histogram.open() ? "more" : Html.count((i + 1L) * histogram.width() - 1),
                    Html.count(histogram.counts()[i]));
        }
        int every = Math.max(1, Math.ceilDiv(bins, 6));
        for (int i = 0; i < bins; i += every) {
            page.add(
                    "<text class=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                    histogram.width() == 1 ? LEFT + (i + 0.5) * bin : LEFT + i * bin,
                    HEIGHT - 14,
                    Html.count((long) i * histogram.width()));
        }
        double at = LEFT + (double) limit / histogram.width() * bin;
        if (limit > 0 && at < WIDTH - 8) {
            page.add(
                    "<line class=\"limit\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%.1f\"/><text class=\"note end\" x=\"%.1f\" y=\"%d\">longest sequence</text>\n",
                    at, at, TOP - 8, base, at - 5, TOP);
        }
        page.add("</svg></figure>\n");
    }
}
