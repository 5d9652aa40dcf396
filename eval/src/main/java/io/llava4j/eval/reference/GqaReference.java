package io.llava4j.eval.reference;

import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.gqa.Gqa;
import io.llava4j.eval.gqa.GqaQuestion;
import io.llava4j.eval.gqa.GqaScore;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** What GQA's code and LLaVA's converter give for a folder. */
final class GqaReference {
    private static final String MINI = "_with_choices_and_consistency";

    private GqaReference() {}

    /** All numbers, the printed lines, every question, the predictions file, and runs with choices and consistency. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        Path answers = folder.resolve("answers.jsonl");
        checks.sameAsFile("predictions", Gqa.converted(answers), folder.resolve("testdev_balanced_predictions.json"));
        score("", files.require(FileRole.ANNOTATIONS), files.find(FileRole.CHOICES), answers, false, expected, checks);
        for (String key : expected.propertyNames()) {
            if (key.endsWith(MINI)) {
                String stem = key.substring(0, key.length() - MINI.length());
                score(
                        key + "/",
                        folder.resolve(stem + "_questions.json"),
                        folder.resolve(stem + "_choices.json"),
                        folder.resolve(stem + "_predictions.json"),
                        true,
                        expected.get(key),
                        checks);
            }
        }
    }

    private static void score(
            String name,
            Path questions,
            @Nullable Path choices,
            Path predictions,
            boolean consistency,
            JsonNode expected,
            Checks checks) {
        ResultFile file = ResultFile.read(predictions, "questionId", "prediction", BrokenLines.REFUSE);
        GqaScore score = GqaScore.of(
                GqaQuestion.read(questions),
                Gqa.predictions(file),
                choices != null && Files.exists(choices) ? Gqa.choices(choices) : null,
                consistency);
        Map<String, Object> official = new LinkedHashMap<>(score.metrics());
        official.put("distribution", score.distribution());
        score.groups().forEach((group, means) -> {
            Map<String, Object> entries = new LinkedHashMap<>();
            means.counts()
                    .forEach((key, count) -> entries.put(key, Map.of("score", means.mean(key) * 100, "count", count)));
            official.put(group, entries);
        });
        checks.same(name + "official", official, expected.get("official"));
        checks.same(name + "printed", score.printed(), expected.get("printed"));
        if (expected.has("per_question_correct")) {
            checks.same(name + "per_question_correct", score.correct(), expected.get("per_question_correct"));
        }
    }
}
