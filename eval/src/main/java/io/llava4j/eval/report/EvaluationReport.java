package io.llava4j.eval.report;

import io.llava4j.eval.Benchmarks;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The report of {@code llava eval} and {@code llava plot}: the tables of a {@link RunComparison} for the terminal, as
 * Markdown and as a page with wrong answers and training curves.
 *
 * @param comparison the runs
 * @param wrongAnswers samples by task; may be empty
 * @param curves training curves of the runs; may be empty
 */
public record EvaluationReport(
        RunComparison comparison, Map<String, List<ReportSample>> wrongAnswers, List<TrainingCurve> curves) {
    /** Models shown by default, as in the paper's first figure. */
    public static final List<String> PAPER =
            List.of("LLaVA-1.5 13B", "LLaVA-1.5 7B", "Qwen-VL-Chat", "InstructBLIP 14B");

    private static final String NOTE =
            "Values are in the units of the paper. The interval is that of the mean over questions"
                    + " (95 %, bootstrap), times 100; LLaVA-Bench's is in points from 1 to 10. A star marks models that were"
                    + " trained on the benchmark's training images.";
    private static final String COMPARISON =
            "Difference of the mean over questions that both runs answered, times 100, with"
                    + " its 95 % interval (paired bootstrap); p by McNemar's exact test where answers are right or wrong.";

    /** Writes {@code report.html}, {@code report.md} and, for three tasks or more, {@code radar.svg}. */
    public void write(Path folder) {
        write(folder.resolve("report.html"), html());
        write(folder.resolve("report.md"), markdown());
        String radar = comparison.radar();
        if (!radar.isEmpty()) {
            write(folder.resolve("radar.svg"), radar);
        }
    }

    private static void write(Path file, String text) {
        AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Tables for a terminal. */
    public String text() {
        StringBuilder out = new StringBuilder(comparison.overview().text()).append(comparison.legend());
        for (String other : comparison.others()) {
            out.append('\n')
                    .append(title(other))
                    .append('\n')
                    .append(comparison.comparison(other).text());
        }
        return out.toString();
    }

    /** The tables as Markdown. */
    public String markdown() {
        StringBuilder out = new StringBuilder("# %s\n\n%s\n\n%s\n%s%s\n"
                .formatted(
                        comparison.first(),
                        comparison.lead(),
                        comparison.overview().markdown(),
                        comparison.withoutSignal().isEmpty() ? "" : comparison.legend() + "\n",
                        NOTE));
        for (String other : comparison.others()) {
            out.append("\n## %s\n\n%s\n%s\n"
                    .formatted(title(other), comparison.comparison(other).markdown(), COMPARISON));
        }
        List<String> warnings = comparison.warnings();
        if (!warnings.isEmpty()) {
            out.append("\n## Notes\n\n");
            warnings.forEach(warning -> out.append("- ").append(warning).append('\n'));
        }
        return out.toString();
    }

    private String title(String other) {
        return "%s against %s".formatted(comparison.first(), other);
    }

    /** The page. */
    public String html() {
        StringBuilder html = new StringBuilder(
                HtmlPage.head(String.join(" and ", comparison.runs().keySet()), comparison.lead()));
        html.append("</header>\n<main>\n");
        String radar = comparison.radar();
        if (!radar.isEmpty()) {
            html.append("<section class=\"radar-box\">\n").append(radar).append("</section>\n");
        }
        html.append(HtmlParts.section("Results", Html.escape(NOTE), HtmlParts.overview(comparison)));
        for (String other : comparison.others()) {
            html.append(HtmlParts.section(
                    title(other),
                    Html.escape(COMPARISON),
                    comparison.comparison(other).html()));
        }
        html.append(HtmlParts.section("By category", "As the official code prints them, in its units.", details()));
        wrongAnswers.forEach((task, samples) -> {
            if (!samples.isEmpty()) {
                html.append(HtmlParts.section(
                        "Wrong: " + Benchmarks.named(task).title(),
                        "Drawn by a fixed seed from the answers that got less than half of the credit.",
                        HtmlParts.cards(samples)));
            }
        });
        if (!curves.isEmpty()) {
            html.append(HtmlParts.section("Training", HtmlParts.CURVES_CAPTION, HtmlParts.curves(curves)));
        }
        if (!comparison.warnings().isEmpty()) {
            html.append(HtmlParts.section("Notes", "", HtmlParts.notes(comparison.warnings())));
        }
        return html.append(HtmlPage.foot("Written by llava4j.")).toString();
    }

    private String details() {
        StringBuilder all = new StringBuilder();
        comparison
                .details()
                .forEach((benchmark, table) ->
                        all.append("<details><summary>%s <small>%s</small></summary>\n%s</details>\n"
                                .formatted(
                                        Html.escape(benchmark.title()),
                                        table.rows().size() == 1
                                                ? "1 number"
                                                : table.rows().size() + " numbers",
                                        table.html())));
        return all.toString();
    }
}
