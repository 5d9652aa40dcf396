package io.llava4j.eval.reference;

import io.llava4j.eval.choice.ScienceQa;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.BenchmarkFiles;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What LLaVA's ScienceQA script gives for a folder. */
final class ScienceQaReference {
    private ScienceQaReference() {}

    /** The printed line, all counts, every predicted index and every parsed answer. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        List<ScienceQa.Judged> judged = ScienceQa.judge(
                ScienceQa.problems(files),
                ResultFile.read(folder.resolve("answers.jsonl"), "question_id", "text", BrokenLines.REFUSE)
                        .last());
        List<ScienceQa.Judged> images =
                judged.stream().filter(ScienceQa.Judged::multimodal).toList();
        double accuracy = ScienceQa.accuracy(judged);
        double ofImages = ScienceQa.accuracy(images);
        checks.same(
                "stdout",
                "Total: %d, Correct: %d, Accuracy: %s%%, IMG-Accuracy: %s%%"
                        .formatted(
                                judged.size(),
                                correct(judged),
                                PythonText.fixed(accuracy, 2),
                                PythonText.fixed(ofImages, 2)),
                expected.get("stdout"));
        checks.same("acc", accuracy, expected.get("acc"));
        checks.same("correct", correct(judged), expected.get("correct"));
        checks.same("count", judged.size(), expected.get("count"));
        checks.same("img_acc", ofImages, expected.get("img_acc"));
        checks.same("img_correct", correct(images), expected.get("img_correct"));
        checks.same("img_count", images.size(), expected.get("img_count"));
        Map<String, Object> indices = new LinkedHashMap<>();
        Map<String, Object> perQuestion = new LinkedHashMap<>();
        for (ScienceQa.Judged j : judged) {
            indices.put(j.problem().id(), j.index());
            perQuestion.put(
                    j.problem().id(),
                    Map.of(
                            "parsed_ans", j.parsed(),
                            "ground_truth",
                                    String.valueOf((char) ('A' + j.problem().answer())),
                            "is_multimodal", j.multimodal(),
                            "correct", j.correct()));
        }
        checks.same("results_pred_idx", indices, expected.get("results_pred_idx"));
        checks.same("per_question", perQuestion, expected.get("per_question"));
    }

    private static long correct(List<ScienceQa.Judged> judged) {
        return judged.stream().filter(ScienceQa.Judged::correct).count();
    }
}
