package io.llava4j.eval.reference;

import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.mme.Mme;
import io.llava4j.eval.mme.MmeKeys;
import io.llava4j.eval.mme.MmeScore;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What MME's calculation and LLaVA's converter give for a folder. */
final class MmeReference {
    private MmeReference() {}

    /** The converted files, all counts, every parsed row, the printed lines. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        Map<String, String> converted = Mme.converted(
                MmeKeys.read(files.require(FileRole.ANNOTATIONS)), AnswerFile.read(folder.resolve("answers.jsonl")));
        Map<String, List<MmeScore.Line>> lines = new HashMap<>();
        converted.forEach((category, text) -> {
            checks.sameAsFile("converted/" + category, text, folder.resolve("converted/" + category + ".txt"));
            lines.put(category, MmeScore.parse(category, text));
        });
        MmeScore score = MmeScore.of(lines);
        checks.same("perception_total", score.total(MmeKeys.PERCEPTION), expected.get("perception_total"));
        checks.same("cognition_total", score.total(MmeKeys.COGNITION), expected.get("cognition_total"));
        checks.same("stdout", score.printed(), expected.get("stdout"));
        Map<String, Object> categories = new LinkedHashMap<>();
        List<List<String>> rows = new ArrayList<>();
        score.tasks().forEach((category, task) -> {
            Map<String, Object> numbers = new LinkedHashMap<>();
            numbers.put("score", task.score());
            numbers.put("acc", task.accuracy());
            numbers.put("acc_plus", task.accuracyPlus());
            numbers.put("other_num", task.other());
            numbers.put("TP", task.tp());
            numbers.put("FN", task.fn());
            numbers.put("TN", task.tn());
            numbers.put("FP", task.fp());
            numbers.put("precision", task.precision());
            numbers.put("recall", task.recall());
            categories.put(category, numbers);
            for (MmeScore.Line line : task.lines()) {
                rows.add(List.of(
                        category,
                        line.file(),
                        line.question(),
                        line.truth(),
                        line.answer().replace("\n", ""),
                        line.label()));
            }
        });
        checks.same("categories", categories, expected.get("categories"));
        checks.same("parsed_rows", rows, expected.get("parsed_rows"));
    }
}
