package io.llava4j.eval.judge;

import io.llava4j.DataException;
import io.llava4j.eval.format.PythonText;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * MM-Vet's arithmetic: sums of grades by capability and by set of capabilities, over all samples that have them.
 *
 * @param capabilities percent per run, by capability
 * @param sets percent per run, by the names of a set's capabilities, sorted
 * @param total percent per run
 */
public record MmVetScore(Map<String, double[]> capabilities, Map<String, double[]> sets, double[] total) {
    /** @throws DataException for a grade of an unknown sample, or grades of different numbers of runs */
    public static MmVetScore of(Map<String, MmVet.Sample> samples, Map<String, MmVet.Grade> grades) {
        int runs = grades.values().stream()
                .mapToInt(grade -> grade.scores().size())
                .max()
                .orElseThrow(() -> new DataException("there are no grades"));
        Map<String, Integer> counts = new LinkedHashMap<>();
        Map<String, Integer> setCounts = new LinkedHashMap<>();
        Map<String, double[]> capabilities = new LinkedHashMap<>();
        Map<String, double[]> sets = new LinkedHashMap<>();
        samples.values().forEach(sample -> {
            TreeSet<String> own = new TreeSet<>(sample.capabilities());
            own.forEach(c -> {
                counts.merge(c, 1, Integer::sum);
                capabilities.putIfAbsent(c, new double[runs]);
            });
            setCounts.merge(String.join("_", own), 1, Integer::sum);
            sets.putIfAbsent(String.join("_", own), new double[runs]);
        });
        double[] total = new double[runs];
        grades.forEach((id, grade) -> {
            MmVet.Sample sample = samples.get(id);
            if (sample == null || grade.scores().size() != runs) {
                throw new DataException(
                        sample == null
                                ? "a grade of %s, which is no sample of mm-vet.json".formatted(id)
                                : "%s has %d grades, others have %d"
                                        .formatted(id, grade.scores().size(), runs));
            }
            TreeSet<String> own = new TreeSet<>(sample.capabilities());
            for (int run = 0; run < runs; run++) {
                double score = grade.scores().get(run);
                for (String capability : own) {
                    add(capabilities, capability, run, score);
                }
                add(sets, String.join("_", own), run, score);
                total[run] += score;
            }
        });
        capabilities.forEach((name, sums) -> percent(sums, counts.getOrDefault(name, 1)));
        sets.forEach((name, sums) -> percent(sums, setCounts.getOrDefault(name, 1)));
        percent(total, samples.size());
        return new MmVetScore(capabilities, sets, total);
    }

    private static void add(Map<String, double[]> sums, String key, int run, double score) {
        double[] own = sums.get(key);
        if (own != null) {
            own[run] += score;
        }
    }

    private static void percent(double[] sums, int count) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] = sums[i] / count * 100;
        }
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    /** Population standard deviation of the runs' totals. */
    double std() {
        double mean = mean(total);
        return Math.sqrt(
                mean(Arrays.stream(total).map(t -> (t - mean) * (t - mean)).toArray()));
    }

    /** Mean over the runs, total first, rounded as numpy does. */
    Map<String, Double> numbers(int digits) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("total", rounded(mean(total), digits));
        numbers.put("std", rounded(std(), digits));
        capabilities.forEach((name, values) -> numbers.put(name, rounded(mean(values), digits)));
        sets.forEach((name, values) -> numbers.put("set/" + name, rounded(mean(values), digits)));
        return numbers;
    }

    /** A row of the evaluator's tables. */
    public Map<String, Object> row(Map<String, double[]> groups, int digits) {
        Map<String, Object> row = new LinkedHashMap<>();
        groups.forEach((name, values) -> row.put(name, rounded(mean(values), digits)));
        row.put("total", rounded(mean(total), digits));
        row.put("std", rounded(std(), digits));
        row.put("runs", runs(digits));
        return row;
    }

    private List<Double> runs(int digits) {
        return Arrays.stream(total).mapToObj(t -> rounded(t, digits)).toList();
    }

    private static double rounded(double value, int digits) {
        return PythonText.roundLikeNumpy(value, digits);
    }
}
