package io.llava4j.eval.reference;

import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.pope.Pope;
import io.llava4j.eval.pope.PopeLabel;
import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.pope.PopeScore.SplitScore;
import io.llava4j.eval.pope.PopeScorer;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** What LLaVA's POPE script gives for a folder. */
final class PopeReference {
    private PopeReference() {}

    /** For every answer file all numbers of every split and every parsed answer, or that the script stops. */
    static void compare(BenchmarkFiles files, Path folder, JsonNode expected, Checks checks) {
        List<Question> questions = QuestionFile.read(files.require(FileRole.QUESTIONS));
        Map<String, List<PopeLabel>> labels = PopeScorer.readLabels(files.require(FileRole.ANNOTATIONS));
        for (String run : expected.propertyNames()) {
            Path answers = folder.resolve(run + ".jsonl");
            if (Files.exists(answers)) {
                compare(
                        run,
                        PopeScorer.score(questions, labels, AnswerFile.read(answers), PopeScorer.Matching.OFFICIAL),
                        expected.get(run),
                        checks);
            }
        }
    }

    private static void compare(String run, PopeScore score, JsonNode expected, Checks checks) {
        boolean finishes = score.splits().values().stream().allMatch(SplitScore::definedByOfficialScript);
        if (expected.has("error") || !finishes) {
            checks.same(
                    run + "/error",
                    finishes ? "none" : "ZeroDivisionError: float division by zero",
                    expected.get("error"));
            return;
        }
        Map<String, Object> categories = new LinkedHashMap<>();
        score.splits().forEach((split, numbers) -> categories.put(split, Pope.table(numbers)));
        checks.same(run + "/categories", categories, expected.get("categories"));
        checks.same(run + "/mean F1", score.meanF1(), expected.get("mean_f1_over_categories"));
        Map<String, String> parsed = new LinkedHashMap<>();
        score.parsed().forEach((id, yes) -> parsed.put(id.toString(), yes ? "yes" : "no"));
        checks.same(run + "/parsed", parsed, expected.get("per_question_parsed"));
    }
}
