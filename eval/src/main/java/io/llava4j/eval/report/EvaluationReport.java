package io.llava4j.eval.report;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.Published;
import io.llava4j.eval.statistics.Bootstrap;
import io.llava4j.eval.statistics.PairedComparison;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * One run of {@code llava eval} or several beside each other: tables for terminal, Markdown and page, the radar chart, a
 * paired comparison of the first run with every other, and images that were answered wrongly.
 *
 * @param runs by name as shown; the first is the one the report is about
 * @param published models of the paper to show beside them, unless the questions of a run are not the published ones
 * @param gallery wrong answers by task; may be empty
 * @param curves training curves of the runs; may be empty
 */
public record EvaluationReport(
        Map<String, RunResults> runs,
        List<String> published,
        Map<String, List<ReportSample>> gallery,
        List<TrainingCurve> curves) {
    /** Models shown by default, as in the paper's first figure. */
    public static final List<String> PAPER =
            List.of("LLaVA-1.5 13B", "LLaVA-1.5 7B", "Qwen-VL-Chat", "InstructBLIP 14B");

    private static final int IN_RADAR = 6;
    private static final String NONE = "–";

    /** @throws IllegalArgumentException if there is no run */
    public EvaluationReport {
        if (runs.isEmpty()) {
            throw new IllegalArgumentException("a report needs a run");
        }
        runs = new LinkedHashMap<>(runs);
    }

    /** Writes {@code report.html}, {@code report.md} and, where there are three tasks or more, {@code radar.svg}. */
    public void write(Path folder) {
        write(folder.resolve("report.html"), html());
        write(folder.resolve("report.md"), markdown());
        String radar = radar();
        if (!radar.isEmpty()) {
            write(folder.resolve("radar.svg"), radar);
        }
    }

    private static void write(Path file, String text) {
        AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Tables for a terminal. */
    public String text() {
        StringBuilder out = new StringBuilder(overview().text());
        for (String other : others()) {
            out.append('\n')
                    .append(title(other))
                    .append('\n')
                    .append(comparison(other).text());
        }
        return out.toString();
    }

    /** The tables as Markdown. */
    public String markdown() {
        StringBuilder out = new StringBuilder(
                "# %s\n\n%s\n\n%s\n%s\n".formatted(first(), lead(), overview().markdown(), NOTE));
        for (String other : others()) {
            out.append("\n## %s\n\n%s\n%s\n"
                    .formatted(title(other), comparison(other).markdown(), COMPARISON));
        }
        List<String> warnings = warnings();
        if (!warnings.isEmpty()) {
            out.append("\n## Notes\n\n");
            warnings.forEach(warning -> out.append("- ").append(warning).append('\n'));
        }
        return out.toString();
    }

    private static final String NOTE =
            "Values are in the units of the paper; the interval is that of the mean over questions"
                    + " (95 %, bootstrap), times 100; LLaVA-Bench's is in points from 1 to 10. A star marks models that were trained on the benchmark's training images.";
    private static final String COMPARISON =
            "Difference of the mean over questions that both runs answered, times 100, with"
                    + " its 95 % interval (paired bootstrap); p by McNemar's exact test where answers are right or wrong.";

    private String first() {
        return runs.keySet().iterator().next();
    }

    private RunResults main() {
        return runs.values().iterator().next();
    }

    private List<String> others() {
        return runs.keySet().stream().skip(1).toList();
    }

    private String title(String other) {
        return "%s against %s".formatted(first(), other);
    }

    private String lead() {
        long questions = main().tasks().stream().mapToLong(TaskResult::samples).sum();
        return "%d benchmarks, %s questions, greedy decoding%s%s.%s"
                .formatted(
                        main().tasks().size(),
                        String.format(Locale.ROOT, "%,d", questions),
                        main().limit() > 0 ? "; at most %d questions of each".formatted(main().limit()) : "",
                        main().blind() ? "; every image replaced by a blank one" : "",
                        main().unofficial().isEmpty() ? "" : " " + main().unofficial());
    }

    private List<Benchmark> benchmarks() {
        Set<String> names = new LinkedHashSet<>();
        runs.values().forEach(run -> run.tasks().forEach(task -> names.add(task.name())));
        return Benchmarks.all().stream()
                .filter(benchmark -> names.contains(benchmark.name()))
                .toList();
    }

    /** A line for each benchmark, a column for each run and published model. */
    public ResultTable overview() {
        List<Published> models = models();
        List<String> header = new ArrayList<>(List.of("Benchmark", "Questions", "Mean, 95 %"));
        header.addAll(runs.keySet());
        models.forEach(model -> header.add(model.model()));
        List<List<String>> rows = new ArrayList<>();
        for (Benchmark benchmark : benchmarks()) {
            Optional<TaskResult> task = main().task(benchmark.name());
            List<String> row = new ArrayList<>(List.of(
                    benchmark.title(),
                    task.map(t -> String.format(Locale.ROOT, "%,d", t.samples()))
                            .orElse(NONE),
                    task.map(EvaluationReport::interval).orElse(NONE)));
            runs.values()
                    .forEach(run -> row.add(run.task(benchmark.name())
                            .map(t -> number(t.value()))
                            .orElse(NONE)));
            models.forEach(model -> {
                Published.Result result = model.on(benchmark);
                row.add(result == null ? NONE : number(result.value()) + (result.trained() ? "*" : ""));
            });
            rows.add(row);
        }
        return new ResultTable(header, rows, 3);
    }

    private List<Published> models() {
        if (runs.values().stream().anyMatch(run -> !run.unofficial().isEmpty())) {
            return List.of();
        }
        return Published.all().stream()
                .filter(model -> published.contains(model.model()))
                .toList();
    }

    private static String interval(TaskResult task) {
        double[] values = task.perQuestion().values().stream()
                .mapToDouble(Double::doubleValue)
                .filter(Double::isFinite)
                .toArray();
        if (values.length == 0) {
            return NONE;
        }
        Bootstrap.Interval mean = Bootstrap.mean(values, 1);
        double scale = hundred(task);
        return "%s (%s to %s)"
                .formatted(number(scale * mean.mean()), number(scale * mean.low()), number(scale * mean.high()));
    }

    /** Shares are shown as percent; points, which LLaVA-Bench gives from 1 to 10, as they are. */
    private static double hundred(TaskResult task) {
        return task.perQuestion().values().stream().allMatch(value -> !(value > 1)) ? 100 : 1;
    }

    private static String number(double value) {
        return Double.isNaN(value) ? "nan" : String.format(Locale.ROOT, "%.1f", value);
    }

    /** The first run against another, question by question. */
    public ResultTable comparison(String other) {
        RunResults second = runs.getOrDefault(other, main());
        List<List<String>> rows = new ArrayList<>();
        for (Benchmark benchmark : benchmarks()) {
            Optional<TaskResult> a = second.task(benchmark.name());
            Optional<TaskResult> b = main().task(benchmark.name());
            if (a.isEmpty() || b.isEmpty()) {
                continue;
            }
            Map<String, Double> before = a.get().perQuestion();
            Map<String, Double> after = b.get().perQuestion();
            if (before.keySet().stream().noneMatch(after::containsKey)) {
                rows.add(List.of(benchmark.title(), "0", NONE, NONE, NONE, NONE, "no question in common"));
                continue;
            }
            PairedComparison paired = PairedComparison.of(before, after);
            double scale = hundred(b.get());
            rows.add(List.of(
                    benchmark.title(),
                    String.format(Locale.ROOT, "%,d", paired.questions()),
                    "%s (%s to %s)"
                            .formatted(
                                    signed(scale * paired.difference().mean()),
                                    signed(scale * paired.difference().low()),
                                    signed(scale * paired.difference().high())),
                    Integer.toString(paired.onlySecond()),
                    Integer.toString(paired.onlyFirst()),
                    paired.mcNemar().isPresent() ? probability(paired.mcNemar().getAsDouble()) : NONE,
                    verdict(paired)));
        }
        return new ResultTable(
                List.of("Benchmark", "Questions", "Difference, 95 %", "Better", "Worse", "p", "Verdict"), rows, 2);
    }

    /** With one decimal; what rounds to zero has no minus. */
    private static String signed(double value) {
        String text = String.format(Locale.ROOT, "%+.1f", value);
        return text.equals("-0.0") ? "+0.0" : text;
    }

    private static String verdict(PairedComparison paired) {
        if (!paired.significant()) {
            return "noise";
        }
        return paired.difference().mean() > 0 ? "better" : "worse";
    }

    private static String probability(double p) {
        return p < 0.001 ? "<0.001" : String.format(Locale.ROOT, "%.3f", p);
    }

    /** The radar chart as a standalone SVG; empty where there are fewer than three benchmarks. */
    public String radar() {
        List<Benchmark> axes = benchmarks();
        List<RadarChart.Series> series = new ArrayList<>();
        runs.forEach((name, run) -> series.add(new RadarChart.Series(
                name,
                axes.stream()
                        .map(axis -> run.task(axis.name())
                                .map(task -> OptionalDouble.of(task.value()))
                                .filter(value -> Double.isFinite(value.getAsDouble()))
                                .orElse(OptionalDouble.empty()))
                        .toList())));
        for (Published model : models()) {
            series.add(new RadarChart.Series(
                    model.model(),
                    axes.stream()
                            .map(axis -> {
                                Published.Result result = model.on(axis);
                                return result == null ? OptionalDouble.empty() : OptionalDouble.of(result.value());
                            })
                            .toList()));
        }
        return RadarChart.draw(
                axes.stream().map(Benchmark::title).toList(), series.subList(0, Math.min(IN_RADAR, series.size())));
    }

    private List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        runs.forEach((name, run) -> run.tasks().forEach(task -> {
            String where = runs.size() == 1
                    ? task.benchmark().title()
                    : task.benchmark().title() + ", " + name;
            if (!task.judge().isEmpty()) {
                warnings.add("%s: graded by %s".formatted(where, task.judge()));
            }
            task.warnings().forEach(warning -> warnings.add("%s: %s".formatted(where, warning)));
        }));
        return warnings;
    }

    /** The page. */
    public String html() {
        StringBuilder html = new StringBuilder(HtmlPage.head(
                runs.size() == 1 ? first() : runs.keySet().stream().collect(Collectors.joining(" and ")), lead()));
        html.append("</header>\n<main>\n");
        String radar = radar();
        if (!radar.isEmpty()) {
            html.append("<section class=\"radar-box\">\n").append(radar).append("</section>\n");
        }
        section(html, "Results", NOTE, overview().html());
        for (String other : others()) {
            section(html, title(other), COMPARISON, comparison(other).html());
        }
        details(html);
        gallery.forEach((task, samples) -> {
            if (!samples.isEmpty()) {
                StringBuilder cards = new StringBuilder("<ul class=\"cards\">\n");
                samples.forEach(sample -> cards.append(HtmlPage.card(sample)));
                section(
                        html,
                        "Wrong: " + Benchmarks.named(task).title(),
                        "Drawn by a fixed seed from the answers that got less than half of the credit.",
                        cards.append("</ul>\n").toString());
            }
        });
        if (!curves.isEmpty()) {
            StringBuilder charts = new StringBuilder("<div class=\"charts\">\n");
            curves.forEach(curve -> charts.append("<figure><figcaption>%s</figcaption>%s</figure>\n"
                    .formatted(Html.escape(curve.name()), SvgCurves.draw(curve))));
            section(
                    html,
                    "Training",
                    "Loss over optimiser steps, as measured (thin) and smoothed (bold), and the learning rate.",
                    charts.append("</div>\n").toString());
        }
        List<String> warnings = warnings();
        if (!warnings.isEmpty()) {
            StringBuilder notes = new StringBuilder("<ul class=\"notes\">\n");
            warnings.forEach(warning -> notes.append("<li>%s</li>\n".formatted(Html.escape(warning))));
            section(html, "Notes", "", notes.append("</ul>\n").toString());
        }
        return html.append(HtmlPage.foot("Written by llava4j.")).toString();
    }

    /** Every number of every task: categories, splits, abilities. */
    private void details(StringBuilder html) {
        StringBuilder all = new StringBuilder();
        for (Benchmark benchmark : benchmarks()) {
            Set<String> numbers = new LinkedHashSet<>();
            runs.values()
                    .forEach(run -> run.task(benchmark.name())
                            .ifPresent(task -> numbers.addAll(task.numbers().keySet())));
            List<String> header = new ArrayList<>(List.of("Number"));
            header.addAll(runs.keySet());
            List<List<String>> rows = new ArrayList<>();
            for (String number : numbers) {
                List<String> row = new ArrayList<>(List.of(number));
                runs.values()
                        .forEach(run -> row.add(run.task(benchmark.name())
                                .map(task -> task.numbers().get(number))
                                .map(value -> String.format(Locale.ROOT, "%.4g", value))
                                .orElse(NONE)));
                rows.add(row);
            }
            all.append("<details><summary>%s <small>%s</small></summary>\n%s</details>\n"
                    .formatted(
                            Html.escape(benchmark.title()),
                            numbers.size() == 1 ? "1 number" : numbers.size() + " numbers",
                            new ResultTable(header, rows, -1).html()));
        }
        section(html, "By category", "As the official code prints them, in its units.", all.toString());
    }

    private static void section(StringBuilder html, String title, String introduction, String content) {
        html.append("<section>\n<h2>%s</h2>\n".formatted(Html.escape(title)));
        if (!introduction.isEmpty()) {
            html.append("<p>%s</p>\n".formatted(Html.escape(introduction)));
        }
        html.append(content).append("</section>\n");
    }
}
