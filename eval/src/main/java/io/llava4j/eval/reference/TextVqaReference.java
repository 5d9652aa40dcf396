package io.llava4j.eval.reference;

import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.vqa.TextVqa;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What LLaVA's TextVQA script gives for a folder. */
final class TextVqaReference {
    private TextVqaReference() {}

    /** The printed lines, the accuracy, every question and every normalised answer. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        List<TextVqa.Scored> scored = TextVqa.score(
                TextVqa.annotations(files.require(FileRole.ANNOTATIONS)),
                AnswerFile.read(folder.resolve("answers.jsonl")));
        double accuracy = TextVqa.mean(scored);
        checks.same(
                "stdout",
                "answers\nSamples: %d\nAccuracy: %s%%\n\n"
                        .formatted(scored.size(), PythonText.fixed(100 * accuracy, 2)),
                expected.get("stdout"));
        checks.same("samples", scored.size(), expected.get("samples"));
        checks.same("accuracy", accuracy, expected.get("accuracy"));
        List<Map<String, Object>> perQuestion = scored.stream()
                .map(s -> Map.<String, Object>of(
                        "question_id", s.answer().id(),
                        "gt_question_id", s.annotation().id(),
                        "processed", s.processed(),
                        "score", s.value()))
                .toList();
        checks.same("per_question_in_file_order", perQuestion, expected.get("per_question_in_file_order"));
        Vqav2Reference.normalisation(expected.get("normalisation"), checks);
    }
}
