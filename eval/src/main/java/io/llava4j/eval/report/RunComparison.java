package io.llava4j.eval.report;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.Published;
import io.llava4j.eval.statistics.Bootstrap;
import io.llava4j.eval.statistics.PairedComparison;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * The tables and the radar chart of one run or of several side by side.
 *
 * @param runs by name as shown; the first is compared with every other
 * @param published names of the paper's models to show beside them; none are shown beside custom benchmarks
 * @param withoutSignal benchmarks to mark: those where the first run is not better than its model without images
 */
public record RunComparison(Map<String, RunResults> runs, List<String> published, Set<Benchmark> withoutSignal) {
    /** What the mark of a benchmark without signal means. */
    static final String NO_SIGNAL = "no signal: not better than the same model without images (paired test, 95 %)";

    /** The sign of a benchmark without signal. */
    static final String SIGN = "○";

    /** Stands after the name of a benchmark without signal. */
    static final String MARK = SIGN + " no signal";

    private static final int IN_RADAR = 6;
    private static final String NONE = "–";

    /** @throws IllegalArgumentException if there is no run */
    public RunComparison {
        if (runs.isEmpty()) {
            throw new IllegalArgumentException("a report needs a run");
        }
        runs = new LinkedHashMap<>(runs);
        withoutSignal = Set.copyOf(withoutSignal);
    }

    /** Marks benchmarks without signal where one of the other runs is the first one's model without images. */
    public RunComparison(Map<String, RunResults> runs, List<String> published) {
        this(runs, published, withoutSignal(runs.values()));
    }

    private static Set<Benchmark> withoutSignal(Collection<RunResults> runs) {
        Optional<RunResults> sighted = runs.stream().findFirst().filter(run -> !run.blind());
        return sighted.flatMap(first -> runs.stream()
                        .filter(run -> run.blind() && run.model().equals(first.model()))
                        .findFirst()
                        .map(blind -> withoutSignal(first, blind)))
                .orElse(Set.of());
    }

    /**
     * The benchmarks where the paired test does not find the sighted model better than the same model without images. Those
     * that share no question are not among them.
     */
    static Set<Benchmark> withoutSignal(RunResults sighted, RunResults blind) {
        Set<Benchmark> without = new LinkedHashSet<>();
        for (TaskResult task : sighted.tasks()) {
            Map<String, Double> seen = task.perQuestion();
            Map<String, Double> guessed =
                    blind.task(task.name()).map(TaskResult::perQuestion).orElse(Map.of());
            if (guessed.keySet().stream().anyMatch(seen::containsKey)
                    && !PairedComparison.of(guessed, seen).better()) {
                without.add(task.benchmark());
            }
        }
        return without;
    }

    /** The legend of the marks, a line of Markdown or text; empty if nothing is marked. */
    public String legend() {
        return withoutSignal.isEmpty() ? "" : "%s %s.\n".formatted(SIGN, NO_SIGNAL);
    }

    /** The mark of a benchmark without signal; empty for others. */
    public String mark(Benchmark benchmark) {
        return withoutSignal.contains(benchmark) ? MARK : "";
    }

    /** Name of the first run. */
    String first() {
        return runs.keySet().iterator().next();
    }

    private RunResults main() {
        return runs.values().iterator().next();
    }

    /** Names of the runs that the first is compared with. */
    List<String> others() {
        return runs.keySet().stream().skip(1).toList();
    }

    /** What was run, in a sentence or two. */
    String lead() {
        long questions = main().tasks().stream().mapToLong(TaskResult::samples).sum();
        return "%d benchmarks, %s questions, greedy decoding%s%s.%s"
                .formatted(
                        main().tasks().size(),
                        String.format(Locale.ROOT, "%,d", questions),
                        main().limit() > 0 ? "; at most %d questions of each".formatted(main().limit()) : "",
                        main().blind() ? "; every image replaced by a blank one" : "",
                        main().customNote().isEmpty() ? "" : " " + main().customNote());
    }

    private List<Benchmark> benchmarks() {
        Set<String> names = new LinkedHashSet<>();
        runs.values().forEach(run -> run.tasks().forEach(task -> names.add(task.name())));
        return Benchmarks.all().stream()
                .filter(benchmark -> names.contains(benchmark.name()))
                .toList();
    }

    /** One row per benchmark, one column per run and per published model. */
    public ResultTable overview() {
        List<Published> models = models();
        List<String> header = new ArrayList<>(List.of("Benchmark", "Questions", "Mean, 95 %"));
        header.addAll(runs.keySet());
        models.forEach(model -> header.add(model.model()));
        List<List<String>> rows = new ArrayList<>();
        for (Benchmark benchmark : benchmarks()) {
            Optional<TaskResult> task = main().task(benchmark.name());
            List<String> row = new ArrayList<>(List.of(
                    (benchmark.title() + " " + mark(benchmark)).strip(),
                    task.map(t -> String.format(Locale.ROOT, "%,d", t.samples()))
                            .orElse(NONE),
                    task.map(RunComparison::interval).orElse(NONE)));
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
        if (runs.values().stream().anyMatch(run -> !run.customNote().isEmpty())) {
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
    static double hundred(TaskResult task) {
        return task.perQuestion().values().stream().allMatch(value -> !(value > 1)) ? 100 : 1;
    }

    static String number(double value) {
        return Double.isNaN(value) ? "nan" : String.format(Locale.ROOT, "%.1f", value);
    }

    /** The first run compared with another, question by question. */
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

    /** One decimal place; a value that rounds to zero gets no minus sign. */
    static String signed(double value) {
        String text = String.format(Locale.ROOT, "%+.1f", value);
        return text.equals("-0.0") ? "+0.0" : text;
    }

    private static String verdict(PairedComparison paired) {
        if (!paired.significant()) {
            return "noise";
        }
        return paired.better() ? "better" : "worse";
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
                axes.stream()
                        .map(axis -> new RadarChart.Spoke(axis.title(), !withoutSignal.contains(axis)))
                        .toList(),
                series.subList(0, Math.min(IN_RADAR, series.size())));
    }

    /** Every number of every task by benchmark: categories, splits, abilities. */
    Map<Benchmark, ResultTable> details() {
        Map<Benchmark, ResultTable> all = new LinkedHashMap<>();
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
            all.put(benchmark, new ResultTable(header, rows, -1));
        }
        return all;
    }

    /** Who judged, and what a reader of the numbers should know. */
    List<String> warnings() {
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
}
