package io.llava4j.eval.report;

import io.llava4j.eval.statistics.Bootstrap;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleFunction;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/**
 * What the steps of a ladder measured, each against the one it is compared with, as tables, a chart and a page. Intervals are
 * drawn when they are first asked for, once.
 */
public final class LadderReport {
    /** Name of the table in a ladder's folder. */
    public static final String MARKDOWN = "report.md";

    /** Name of the page in a ladder's folder. */
    public static final String PAGE = "report.html";

    private static final String NONE = "–";
    private static final String NOTE =
            "Each value is the mean over the seeds in the unit of the paper, and the standard deviation between them. The mean is over"
                    + " questions and benchmarks, times 100, with its 95 % interval (seeds and questions drawn again).";
    private static final String COMPARED =
            "Differences of the mean over questions, times 100, question by question. The last but one column is over all benchmarks,"
                    + " with its 95 % interval. A step is called better or worse if the interval excludes zero and the difference has"
                    + " the same sign at every seed, else noise.";

    private final String title;
    private final String claim;
    private final List<Long> seeds;
    private final List<LadderStep> steps;
    private final List<String> tasks;
    private final Map<String, Bootstrap.Interval> means = new ConcurrentHashMap<>();
    private final Map<List<String>, Optional<LadderStep.Difference>> differences = new ConcurrentHashMap<>();

    /**
     * A report.
     *
     * @param title of the ladder
     * @param claim a sentence that it tests; may be empty
     * @param seeds that it is to be run with
     * @param steps that have been measured at one seed at least
     */
    public LadderReport(String title, String claim, List<Long> seeds, List<LadderStep> steps) {
        this.title = title;
        this.claim = claim;
        this.seeds = List.copyOf(seeds);
        this.steps = List.copyOf(steps);
        this.tasks = steps.stream()
                .flatMap(step -> step.runs().values().stream())
                .flatMap(run -> run.tasks().stream())
                .map(TaskResult::name)
                .distinct()
                .toList();
    }

    private Bootstrap.Interval mean(LadderStep step) {
        return means.computeIfAbsent(step.name(), added -> step.mean(tasks));
    }

    /**
     * A step against the one it is compared with; empty if it is compared with none.
     *
     * @param over the benchmarks
     */
    private Optional<LadderStep.Difference> difference(LadderStep step, List<String> over) {
        List<String> key = new ArrayList<>(over);
        key.add(step.name());
        return differences.computeIfAbsent(key, added -> before(step).flatMap(before -> step.minus(before, over)));
    }

    /** Draws all intervals, steps at once. */
    private void draw() {
        steps.parallelStream().forEach(step -> {
            mean(step);
            difference(step, tasks);
            tasks.forEach(task -> difference(step, List.of(task)));
        });
    }

    /** Writes {@code report.html}, {@code report.md}, {@code ladder.svg} and {@code ladder.json}. */
    public void write(Path folder) {
        draw();
        write(folder.resolve(PAGE), html());
        write(folder.resolve(MARKDOWN), markdown());
        write(folder.resolve("ladder.svg"), chart());
        write(
                folder.resolve("ladder.json"),
                JsonMapper.builder().build().writerWithDefaultPrettyPrinter().writeValueAsString(tree()) + "\n");
    }

    private static void write(Path file, String text) {
        AtomicFiles.write(file, text.getBytes(StandardCharsets.UTF_8));
    }

    private String titleOf(String task) {
        return steps.stream()
                .flatMap(step -> step.results(task).stream())
                .findFirst()
                .map(result -> result.benchmark().title())
                .orElse(task);
    }

    /** One row per step, one column per benchmark. */
    public ResultTable overview() {
        List<String> header = new ArrayList<>(List.of("Step"));
        tasks.forEach(task -> header.add(titleOf(task)));
        header.addAll(List.of("Mean, 95 %", "Seeds", "Training"));
        List<List<String>> rows = new ArrayList<>();
        for (LadderStep step : steps) {
            List<String> row = new ArrayList<>(List.of(step.name()));
            tasks.forEach(task -> row.add(spread(
                    step.results(task).stream().mapToDouble(TaskResult::value).toArray())));
            row.add(interval(mean(step), RunComparison::number));
            row.add(Integer.toString(step.runs().size()));
            row.add(step.seconds().stream().mapToDouble(Double::doubleValue).average().stream()
                    .mapToObj(Html::duration)
                    .findFirst()
                    .orElse(NONE));
            rows.add(row);
        }
        return new ResultTable(header, rows, header.size() - 3);
    }

    /** Mean and standard deviation. */
    private static String spread(double[] values) {
        if (values.length == 0) {
            return NONE;
        }
        double mean = Arrays.stream(values).average().orElseThrow();
        double squares = Arrays.stream(values)
                .map(value -> (value - mean) * (value - mean))
                .sum();
        return values.length == 1
                ? RunComparison.number(mean)
                : "%s ± %.1f".formatted(RunComparison.number(mean), Math.sqrt(squares / (values.length - 1)));
    }

    private static String interval(Bootstrap.Interval interval, DoubleFunction<String> shown) {
        return "%s (%s to %s)"
                .formatted(shown.apply(interval.mean()), shown.apply(interval.low()), shown.apply(interval.high()));
    }

    /** Every step against the one it is compared with. */
    public ResultTable differences() {
        List<String> header = new ArrayList<>(List.of("Step", "against"));
        tasks.forEach(task -> header.add(titleOf(task)));
        header.addAll(List.of("All, 95 %", "Verdict", "The paper"));
        List<List<String>> rows = new ArrayList<>();
        for (LadderStep step : steps) {
            if (before(step).isEmpty()) {
                continue;
            }
            List<String> row = new ArrayList<>(List.of(step.name(), step.against()));
            tasks.forEach(task -> row.add(difference(step, List.of(task))
                    .map(d -> RunComparison.signed(d.interval().mean())
                            + (d.verdict().equals("noise") ? "" : " " + d.verdict()))
                    .orElse(NONE)));
            Optional<LadderStep.Difference> all = difference(step, tasks);
            row.add(all.map(d -> interval(d.interval(), RunComparison::signed)).orElse(NONE));
            row.add(all.map(LadderStep.Difference::verdict).orElse(NONE));
            row.add(step.paper().isEmpty() ? NONE : step.paper());
            rows.add(row);
        }
        return new ResultTable(header, rows, header.size() - 2);
    }

    private Optional<LadderStep> before(LadderStep step) {
        return steps.stream()
                .filter(other -> other.name().equals(step.against()))
                .findFirst();
    }

    /** What is missing or should be known. */
    private List<String> notes() {
        List<String> notes = new ArrayList<>();
        boolean unfinished = steps.stream().anyMatch(step -> step.runs().size() < seeds.size());
        if (unfinished) {
            notes.add("unfinished: not every step has been run with all %d seeds".formatted(seeds.size()));
        }
        if (seeds.size() < 3) {
            notes.add("%d %s: the intervals know little of how much one training differs from the next"
                    .formatted(seeds.size(), seeds.size() == 1 ? "seed" : "seeds"));
        }
        steps.stream()
                .flatMap(step -> step.runs().values().stream())
                .filter(run -> run.limit() > 0)
                .findFirst()
                .ifPresent(run ->
                        notes.add("only the first %d questions of each benchmark were asked".formatted(run.limit())));
        steps.stream()
                .flatMap(step -> step.runs().values().stream())
                .map(RunResults::customNote)
                .filter(note -> !note.isEmpty())
                .distinct()
                .forEach(notes::add);
        steps.stream()
                .flatMap(step -> step.runs().values().stream())
                .flatMap(run -> run.tasks().stream())
                .filter(task -> !task.judge().isEmpty())
                .map(task -> "%s: graded by %s".formatted(task.benchmark().title(), task.judge()))
                .distinct()
                .forEach(notes::add);
        return notes;
    }

    /** The tables for a terminal. */
    public String text() {
        ResultTable differences = differences();
        return overview().text()
                + (differences.rows().isEmpty() ? "" : "\n" + differences.text())
                + notes().stream().map(note -> "note: " + note + "\n").collect(Collectors.joining());
    }

    /** The numbers below may say otherwise. */
    private String subtitle() {
        return claim.isEmpty() ? "" : "To be tested: " + claim;
    }

    /** The tables as Markdown. */
    public String markdown() {
        StringBuilder out = new StringBuilder("# %s\n\n".formatted(title));
        if (!claim.isEmpty()) {
            out.append(subtitle()).append("\n\n");
        }
        out.append(overview().markdown()).append('\n').append(NOTE).append('\n');
        ResultTable differences = differences();
        if (!differences.rows().isEmpty()) {
            out.append("\n## Differences\n\n")
                    .append(differences.markdown())
                    .append('\n')
                    .append(COMPARED)
                    .append('\n');
        }
        out.append("\n## Steps\n\n");
        steps.forEach(step -> out.append("- %s: %s\n".formatted(step.name(), changes(step, "`%s: %s`"))));
        if (!notes().isEmpty()) {
            out.append("\n## Notes\n\n");
            notes().forEach(note -> out.append("- ").append(note).append('\n'));
        }
        return out.toString();
    }

    private static String changes(LadderStep step, String form) {
        return step.changes().isEmpty()
                ? "as the recipes say"
                : step.changes().entrySet().stream()
                        .map(change -> form.formatted(change.getKey(), change.getValue()))
                        .collect(Collectors.joining(", "));
    }

    private String chart() {
        return IntervalChart.draw(
                "mean of the benchmarks, percent",
                steps.stream()
                        .map(step -> new IntervalChart.Row(step.name(), mean(step), step.perSeed(tasks)))
                        .toList());
    }

    /** The page. */
    public String html() {
        StringBuilder html = new StringBuilder(HtmlPage.head(title, subtitle())).append("</header>\n<main>\n");
        html.append("<section>\n").append(chart()).append("</section>\n");
        html.append(HtmlParts.section("Results", Html.escape(NOTE), overview().html()));
        ResultTable differences = differences();
        if (!differences.rows().isEmpty()) {
            html.append(HtmlParts.section("Differences", Html.escape(COMPARED), differences.html()));
        }
        html.append(HtmlParts.section(
                "Steps",
                "Keys that each changes.",
                HtmlParts.notes(steps.stream()
                        .map(step -> step.name() + ": " + changes(step, "%s: %s"))
                        .toList())));
        if (!notes().isEmpty()) {
            html.append(HtmlParts.section("Notes", "", HtmlParts.notes(notes())));
        }
        return html.append(HtmlPage.foot("Written by llava4j.")).toString();
    }

    private Map<String, Object> tree() {
        List<Map<String, Object>> all = new ArrayList<>();
        for (LadderStep step : steps) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("name", step.name());
            entry.put("changes", step.changes());
            entry.put("mean", mean(step));
            difference(step, tasks).ifPresent(difference -> {
                entry.put("against", step.against());
                entry.put("difference", difference.interval());
                entry.put("verdict", difference.verdict());
            });
            entry.put("seconds", step.seconds());
            Map<String, Object> runs = new LinkedHashMap<>();
            step.runs().forEach((seed, run) -> runs.put(String.format(Locale.ROOT, "%d", seed), run.tree()));
            entry.put("runs", runs);
            all.add(entry);
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("title", title);
        tree.put("claim", claim);
        tree.put("seeds", seeds);
        tree.put("steps", all);
        return tree;
    }
}
