package io.llava4j.eval.report;

import io.llava4j.eval.statistics.Bootstrap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A step of a ladder and what was measured there.
 *
 * @param name of the step
 * @param against the step it is compared with; empty for the first
 * @param paper what the paper measured; may be empty
 * @param changes of keys
 * @param runs results by seed
 * @param seconds of training at each seed
 */
public record LadderStep(
        String name,
        String against,
        String paper,
        Map<String, String> changes,
        Map<Long, RunResults> runs,
        List<Double> seconds) {
    /** A difference and what it is called: better, worse or noise. */
    record Difference(Bootstrap.Interval interval, String verdict) {}

    /** The results on a benchmark, one for each seed. */
    List<TaskResult> results(String task) {
        return runs.values().stream().flatMap(run -> run.task(task).stream()).toList();
    }

    /** Mean of all benchmarks, in percent. */
    Bootstrap.Interval mean(List<String> tasks) {
        List<double[][]> values = tasks.stream()
                .map(task -> credits(results(task), common(results(task))))
                .filter(task -> task.length > 0 && task[0].length > 0)
                .toList();
        return values.isEmpty()
                ? new Bootstrap.Interval(Double.NaN, Double.NaN, Double.NaN)
                : Bootstrap.meanOverRuns(values, 1);
    }

    /** Mean of the benchmarks at each seed, in percent. */
    double[] perSeed(List<String> tasks) {
        return runs.values().stream()
                .mapToDouble(run -> tasks.stream()
                        .flatMap(task -> run.task(task).stream())
                        .map(result -> credits(result, common(List.of(result))))
                        .filter(credits -> credits.length > 0)
                        .mapToDouble(credits -> Arrays.stream(credits).average().orElseThrow())
                        .average()
                        .orElse(Double.NaN))
                .toArray();
    }

    /** {@code [seeds, questions]}, times 100 where credit is a share. */
    private static double[][] credits(List<TaskResult> runs, List<String> questions) {
        return runs.stream().map(run -> credits(run, questions)).toArray(double[][]::new);
    }

    private static double[] credits(TaskResult run, List<String> questions) {
        double scale = RunComparison.hundred(run);
        return questions.stream()
                .mapToDouble(question -> scale * run.perQuestion().getOrDefault(question, Double.NaN))
                .toArray();
    }

    /** Questions that every run has scored. */
    private static List<String> common(List<TaskResult> runs) {
        return runs.isEmpty()
                ? List.of()
                : runs.getFirst().perQuestion().keySet().stream()
                        .filter(question -> runs.stream()
                                .allMatch(
                                        run -> Double.isFinite(run.perQuestion().getOrDefault(question, Double.NaN))))
                        .toList();
    }

    /** Over the seeds that both steps were run with, as this step minus the other, and the questions that all those runs have scored. */
    Optional<Difference> minus(LadderStep first, List<String> tasks) {
        List<Long> seeds =
                runs.keySet().stream().filter(first.runs()::containsKey).toList();
        List<double[][]> values = new ArrayList<>();
        for (String task : tasks) {
            double[][] differences = differences(results(first, seeds, task), results(this, seeds, task));
            if (differences.length == seeds.size() && differences.length > 0 && differences[0].length > 0) {
                values.add(differences);
            }
        }
        if (values.isEmpty()) {
            return Optional.empty();
        }
        Bootstrap.Interval interval = Bootstrap.meanOverRuns(values, 1);
        return Optional.of(new Difference(interval, verdict(interval, values)));
    }

    private static List<TaskResult> results(LadderStep step, List<Long> seeds, String task) {
        return seeds.stream()
                .map(step.runs()::get)
                .flatMap(run -> run.task(task).stream())
                .toList();
    }

    private static double[][] differences(List<TaskResult> first, List<TaskResult> second) {
        if (first.size() != second.size()) {
            return new double[0][];
        }
        List<TaskResult> all = new ArrayList<>(first);
        all.addAll(second);
        List<String> questions = common(all);
        double[][] before = credits(first, questions);
        double[][] differences = credits(second, questions);
        for (int run = 0; run < differences.length; run++) {
            for (int question = 0; question < questions.size(); question++) {
                differences[run][question] -= before[run][question];
            }
        }
        return differences;
    }

    private static String verdict(Bootstrap.Interval interval, List<double[][]> values) {
        boolean above = interval.low() > 0;
        if (!above && interval.high() >= 0) {
            return "noise";
        }
        for (int run = 0; run < values.getFirst().length; run++) {
            int its = run;
            double mean = values.stream()
                    .mapToDouble(task -> Arrays.stream(task[its]).average().orElse(0))
                    .average()
                    .orElse(0);
            if (above ? mean <= 0 : mean >= 0) {
                return "noise";
            }
        }
        return above ? "better" : "worse";
    }
}
