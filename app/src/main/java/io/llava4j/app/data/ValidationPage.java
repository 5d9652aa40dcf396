package io.llava4j.app.data;

import io.llava4j.eval.report.Html;
import io.llava4j.train.data.check.DataCheck;
import io.llava4j.train.data.check.Finding;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** An HTML page with the findings of {@code data validate}. */
public final class ValidationPage {
    private static final int SHOWN = 100;

    private ValidationPage() {}

    /**
     * Writes the page atomically.
     *
     * @param file to write
     * @param data file of the data set
     * @param result of the check
     * @param expected number of records of each source; may be empty
     */
    public static void write(Path file, Path data, DataCheck.Result result, SequencedMap<String, Integer> expected) {
        long errors = result.findings().stream()
                .filter(finding -> finding.kind().isError())
                .count();
        DataPage page = new DataPage(
                "Check of " + data.getFileName(),
                errors == 0
                        ? "No errors were found."
                        : "%,d findings are errors: leave these records out of training.".formatted(errors));
        page.add("<dl class=\"totals\">\n");
        total(page, "records", result.records(), "");
        total(page, "without image", result.textOnly(), "");
        total(page, "different images", result.images(), "");
        total(page, "errors", errors, errors == 0 ? "good" : "bad");
        total(page, "warnings", result.findings().size() - errors, "");
        page.add("</dl>\n");
        sources(page, result, expected);
        Map<Finding.Kind, Long> counts = result.counts();
        for (Finding.Kind kind : counts.keySet()) {
            findings(
                    page,
                    kind,
                    result.findings().stream().filter(f -> f.kind() == kind).toList());
        }
        page.section("What was checked");
        page.add("<ul class=\"notes\">\n<li>Every record against the rules of the format, every image decoded.</li>\n");
        page.add("<li>Duplicates, and text that the template uses to separate turns.</li>\n");
        page.add(
                "<li>%s</li>\n",
                result.lengthsChecked()
                        ? "The length of every sequence, image tokens included."
                        : "Not the length of sequences: no tokenizer was given.");
        page.add(
                "<li>%s</li>\n</ul>\n",
                result.evaluationImages() == 0
                        ? "Not whether evaluation images leak: none were given."
                        : "Every image against %s evaluation images, by name and by perceptual hash."
                                .formatted(Html.count(result.evaluationImages())));
        page.endSection();
        page.write(file);
    }

    private static void total(DataPage page, String name, long value, String style) {
        page.add("<div><dt>%s</dt><dd class=\"%s\">%s</dd></div>\n", name, style, Html.count(value));
    }

    private static void sources(DataPage page, DataCheck.Result result, SequencedMap<String, Integer> expected) {
        page.section("Sources");
        page.add(
                "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\">Source</th><th scope=\"col\" class=\"n\">Records</th>");
        page.add(
                expected.isEmpty()
                        ? ""
                        : "<th scope=\"col\" class=\"n\">Expected</th><th scope=\"col\" class=\"n\">Difference</th>");
        page.add("</tr></thead>\n<tbody>\n");
        SequencedMap<String, Integer> all = new java.util.LinkedHashMap<>(result.sources());
        expected.keySet().forEach(source -> all.putIfAbsent(source, 0));
        all.forEach((source, count) -> {
            page.add("<tr><th scope=\"row\">%s</th><td class=\"n\">%s</td>", Html.escape(source), Html.count(count));
            if (!expected.isEmpty()) {
                Integer wanted = expected.get(source);
                page.add(
                        "<td class=\"n\">%s</td><td class=\"n\">%s</td>",
                        wanted == null ? "–" : Html.count(wanted),
                        wanted == null ? "–" : "%+d".formatted(count - wanted));
            }
            page.add("</tr>\n");
        });
        page.add("</tbody></table></div>\n");
        page.endSection();
    }

    private static void findings(DataPage page, Finding.Kind kind, List<Finding> findings) {
        page.add(
                "<section>\n<h2>%s %s<span class=\"badge%s\">%s</span></h2>\n",
                Html.count(findings.size()),
                Html.escape(kind.title()),
                kind.isError() ? " error" : "",
                kind.isError() ? "error" : "warning");
        page.add(
                "<div class=\"scroll\"><table>\n<thead><tr><th scope=\"col\" class=\"n\">Record</th><th scope=\"col\">Id</th><th scope=\"col\">Finding</th></tr></thead>\n<tbody>\n");
        for (Finding finding : findings.subList(0, Math.min(SHOWN, findings.size()))) {
            page.add(
                    "<tr><td class=\"n\">%s</td><td>%s</td><td class=\"reason\">%s</td></tr>\n",
                    Html.count(finding.record().index()),
                    Html.escape(finding.record().id()),
                    Html.escape(finding.record().reason()));
        }
        page.add("</tbody></table></div>\n");
        if (findings.size() > SHOWN) {
            page.add(
                    "<p class=\"more\">and %s more; <code>--json</code> lists all</p>\n",
                    Html.count(findings.size() - SHOWN));
        }
        page.endSection();
    }
}
