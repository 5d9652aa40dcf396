package io.llava4j.eval.report;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.pope.PopeScore.SplitScore;
import io.llava4j.eval.vqa.VqaScore;
import io.llava4j.io.AtomicFiles;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;

/**
 * What {@code llava demo} measured: one model under several conditions.
 *
 * @param model the model's name
 * @param vqa VQA accuracies by condition; {@link Condition#SIGHTED} is always there
 * @param pope POPE scores by condition; {@link Condition#SIGHTED} is always there
 * @param benchmarks scores on all benchmarks by condition; may be empty
 * @param seconds wall time of the whole job
 * @param peakRssBytes largest resident memory of the process
 * @param notes what was skipped or needs explaining
 */
public record Results(
        String model,
        Map<Condition, VqaScore> vqa,
        Map<Condition, PopeScore> pope,
        Map<Condition, RunResults> benchmarks,
        double seconds,
        long peakRssBytes,
        List<String> notes) {

    /** @throws IllegalArgumentException if the sighted model was not measured */
    public Results {
        if (!vqa.containsKey(Condition.SIGHTED) || !pope.containsKey(Condition.SIGHTED)) {
            throw new IllegalArgumentException("results need the sighted model's scores");
        }
        vqa = new EnumMap<>(vqa);
        pope = new EnumMap<>(pope);
        benchmarks = new TreeMap<>(benchmarks);
    }

    /** The runs on all benchmarks side by side, the sighted model's first; empty if there were none. */
    public Optional<RunComparison> comparison() {
        Map<String, RunResults> runs = new LinkedHashMap<>();
        benchmarks.forEach((condition, run) -> runs.put(condition.title(), run));
        RunResults sighted = benchmarks.get(Condition.SIGHTED);
        RunResults blind = benchmarks.get(Condition.BLIND);
        Set<Benchmark> withoutSignal =
                sighted == null || blind == null ? Set.of() : RunComparison.withoutSignal(sighted, blind);
        return runs.isEmpty() ? Optional.empty() : Optional.of(new RunComparison(runs, List.of(), withoutSignal));
    }

    /** VQA accuracy in percent, if the condition was measured. */
    public Optional<Double> vqaAccuracy(Condition condition) {
        return Optional.ofNullable(vqa.get(condition)).map(VqaScore::overall);
    }

    /** Mean accuracy of POPE's splits in percent, if the condition was measured. */
    public Optional<Double> popeAccuracy(Condition condition) {
        return Optional.ofNullable(pope.get(condition)).map(score -> 100 * score.meanAccuracy());
    }

    /** Mean F1 of POPE's splits in percent, if the condition was measured. */
    public Optional<Double> popeF1(Condition condition) {
        return Optional.ofNullable(pope.get(condition)).map(score -> 100 * score.meanF1());
    }

    /** Questions per VQA question type. */
    public Map<String, Integer> questionTypes() {
        return sightedVqa().questionTypeCounts();
    }

    /** VQA questions asked under each condition. */
    public int vqaQuestions() {
        return sightedVqa().samples();
    }

    /** POPE questions asked under each condition. */
    public int popeQuestions() {
        return sightedPope().parsed().size();
    }

    /** Names of POPE's splits. */
    public List<String> popeSplits() {
        return List.copyOf(sightedPope().splits().keySet());
    }

    /** Writes {@code results.json} atomically; all rates are percent. */
    public void write(Path file) {
        byte[] json =
                JsonMapper.builder().build().writerWithDefaultPrettyPrinter().writeValueAsBytes(tree());
        AtomicFiles.write(file, json);
    }

    /** What {@link #write} writes. */
    public Map<String, Object> tree() {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("model", model);
        tree.put("unit", "percent");
        for (Condition condition : Condition.values()) {
            vqaAccuracy(condition).ifPresent(v -> tree.put("vqa_accuracy" + condition.suffix(), v));
        }
        for (Condition condition : Condition.values()) {
            popeAccuracy(condition).ifPresent(v -> tree.put("pope_accuracy" + condition.suffix(), v));
        }
        for (Condition condition : Condition.values()) {
            popeF1(condition).ifPresent(v -> tree.put("pope_f1" + condition.suffix(), v));
        }
        tree.put("vqa_by_question_type", byType(true));
        tree.put("vqa_by_answer_type", byType(false));
        tree.put("pope_by_split", bySplit());
        tree.put("benchmarks", byBenchmark());
        Map<String, Object> samples = new LinkedHashMap<>();
        samples.put("vqa_questions", vqaQuestions());
        samples.put("pope_questions", popeQuestions());
        tree.put("samples", samples);
        tree.put("seconds", seconds);
        tree.put("peak_rss_bytes", peakRssBytes);
        List<String> all = new ArrayList<>(notes);
        pope.forEach(
                (condition, score) -> score.warnings().forEach(w -> all.add("POPE " + condition.title() + ", " + w)));
        tree.put("notes", all);
        return tree;
    }

    /** In the unit of each benchmark: percent, but for MME's points. */
    private Map<String, Object> byBenchmark() {
        Map<String, Map<String, Object>> rows = new LinkedHashMap<>();
        benchmarks.forEach((condition, run) -> run.tasks()
                .forEach(task ->
                        rows.computeIfAbsent(task.name(), name -> about(task)).put(key(condition), task.value())));
        return new LinkedHashMap<>(rows);
    }

    private static Map<String, Object> about(TaskResult task) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("headline", task.headline());
        row.put("samples", task.samples());
        if (!task.judge().isEmpty()) {
            row.put("judge", task.judge());
        }
        return row;
    }

    private Map<String, Object> byType(boolean question) {
        VqaScore sighted = sightedVqa();
        Map<String, Object> tree = new LinkedHashMap<>();
        (question ? sighted.questionTypeCounts() : sighted.answerTypeCounts()).forEach((type, count) -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("questions", count);
            vqa.forEach((condition, score) ->
                    row.put(key(condition), (question ? score.perQuestionType() : score.perAnswerType()).get(type)));
            tree.put(type, row);
        });
        return tree;
    }

    private Map<String, Object> bySplit() {
        Map<String, Object> tree = new LinkedHashMap<>();
        for (String split : popeSplits()) {
            Map<String, Object> row = new LinkedHashMap<>();
            pope.forEach((condition, score) -> {
                SplitScore numbers = score.splits().get(split);
                if (numbers != null) {
                    row.put(key(condition), numbers(numbers));
                }
            });
            tree.put(split, row);
        }
        return tree;
    }

    private static Map<String, Object> numbers(SplitScore split) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("questions", split.compared());
        row.put("accuracy", 100 * split.accuracy());
        row.put("precision", 100 * split.precision());
        row.put("recall", 100 * split.recall());
        row.put("f1", 100 * split.f1());
        row.put("yes_ratio", 100 * split.yesRatio());
        return row;
    }

    private static String key(Condition condition) {
        return condition.suffix().isEmpty() ? "sighted" : condition.suffix().substring(1);
    }

    private VqaScore sightedVqa() {
        return Objects.requireNonNull(vqa.get(Condition.SIGHTED));
    }

    private PopeScore sightedPope() {
        return Objects.requireNonNull(pope.get(Condition.SIGHTED));
    }
}
