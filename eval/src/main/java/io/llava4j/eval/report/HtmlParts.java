package io.llava4j.eval.report;

import java.util.Base64;
import java.util.List;

/** Parts that the pages of {@code llava eval}, {@code llava plot} and {@code llava demo} share. */
final class HtmlParts {
    /** What {@link #curves} shows. */
    static final String CURVES_CAPTION =
            "Loss over optimiser steps, as measured (thin) and smoothed (bold), and the learning rate.";

    private static final double RIGHT = 0.5;

    private HtmlParts() {}

    /**
     * A section with a heading.
     *
     * @param title plain text
     * @param introduction HTML of a paragraph; empty for none
     * @param content HTML
     */
    static String section(String title, String introduction, String content) {
        return "<section>\n<h2>%s</h2>\n%s%s</section>\n"
                .formatted(
                        Html.escape(title),
                        introduction.isEmpty() ? "" : "<p>%s</p>\n".formatted(introduction),
                        content);
    }

    /** A list of images with their questions and answers. */
    static String cards(List<ReportSample> samples) {
        StringBuilder cards = new StringBuilder("<ul class=\"cards\">\n");
        samples.forEach(sample -> cards.append(card(sample)));
        return cards.append("</ul>\n").toString();
    }

    /** The overview of a comparison, and what its marks mean if there are any. */
    static String overview(RunComparison comparison) {
        String table = comparison
                .overview()
                .html()
                .replace(RunComparison.MARK, "<span class=\"nowrap\">%s</span>".formatted(RunComparison.MARK));
        String legend = comparison.legend().strip();
        return table + (legend.isEmpty() ? "" : "<p class=\"mark\">%s</p>\n".formatted(Html.escape(legend)));
    }

    /** The number of samples that got at least half of the credit. */
    static long right(List<ReportSample> samples) {
        return samples.stream().filter(sample -> sample.credit() >= RIGHT).count();
    }

    /** A figure for each training curve. */
    static String curves(List<TrainingCurve> curves) {
        StringBuilder charts = new StringBuilder("<div class=\"charts\">\n");
        curves.forEach(curve -> charts.append("<figure><figcaption>%s</figcaption>%s</figure>\n"
                .formatted(Html.escape(curve.name()), SvgCurves.draw(curve))));
        return charts.append("</div>\n").toString();
    }

    /** A list of sentences. */
    static String notes(List<String> sentences) {
        StringBuilder notes = new StringBuilder("<ul class=\"notes\">\n");
        sentences.forEach(sentence -> notes.append("<li>%s</li>\n".formatted(Html.escape(sentence))));
        return notes.append("</ul>\n").toString();
    }

    private static String card(ReportSample sample) {
        boolean right = sample.credit() >= RIGHT;
        String blind = sample.blindAnswer().isEmpty()
                ? ""
                : "<div><dt>blind</dt><dd>%s</dd></div>".formatted(Html.escape(sample.blindAnswer()));
        return """
                <li class="card %s">
                <div class="images%s">
                %s</div>
                <p class="question">%s</p>
                <dl><div class="answer"><dt>model</dt><dd>%s <span class="verdict">%s</span></dd></div>
                <div><dt>truth</dt><dd>%s</dd></div>%s</dl>
                </li>
                """.formatted(
                        right ? "right" : "wrong",
                        sample.images().size() > 1 ? " several" : "",
                        images(sample),
                        Html.escape(sample.question()),
                        sample.answer().isBlank() ? "<i>nothing</i>" : Html.escape(sample.answer()),
                        right ? "✓ right" : "✗ wrong",
                        Html.escape(sample.truth()),
                        blind);
    }

    private static String images(ReportSample sample) {
        int count = sample.images().size();
        StringBuilder images = new StringBuilder();
        for (int i = 0; i < count; i++) {
            ReportSample.Image image = sample.images().get(i);
            images.append("<img alt=\"Image %sfor the question: %s\" src=\"data:%s;base64,%s\">\n"
                    .formatted(
                            count == 1 ? "" : "%d of %d ".formatted(i + 1, count),
                            Html.escape(sample.question()),
                            image.mediaType(),
                            Base64.getEncoder().encodeToString(image.bytes())));
        }
        return images.toString();
    }
}
