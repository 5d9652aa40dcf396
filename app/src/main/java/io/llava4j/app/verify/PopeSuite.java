package io.llava4j.app.verify;

import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.pope.PopeFiles;
import io.llava4j.eval.pope.PopeLabel;
import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.pope.PopeScore.SplitScore;
import io.llava4j.eval.pope.PopeScorer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import tools.jackson.databind.JsonNode;

/** A folder of POPE files with the official scores: every number of every split, every parsed answer. */
public final class PopeSuite implements Suite {
    @Override
    public String name() {
        return "pope";
    }

    @Override
    public boolean accepts(Path dir) {
        return ExpectedValues.presentWith(dir, PopeFiles.QUESTIONS, PopeFiles.LABELS);
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        List<Question> questions = QuestionFile.read(dir.resolve(PopeFiles.QUESTIONS));
        Map<String, List<PopeLabel>> labels = PopeScorer.readLabels(dir.resolve(PopeFiles.LABELS));
        for (Map.Entry<String, JsonNode> run : ExpectedValues.read(dir).properties()) {
            JsonNode expected = run.getValue();
            if (expected.has("categories") || expected.has("error")) {
                PopeScore score = PopeScorer.score(
                        questions,
                        labels,
                        AnswerFile.read(dir.resolve(run.getKey() + ".jsonl")),
                        PopeScorer.Matching.OFFICIAL);
                compare(run.getKey(), expected, score, out);
            }
        }
    }

    private void compare(String run, JsonNode expected, PopeScore score, Consumer<CaseResult> out) {
        boolean finishes = score.splits().values().stream().allMatch(SplitScore::definedByOfficialScript);
        out.accept(CaseResult.exact(
                name(),
                run + "/official script finishes",
                finishes != expected.has("error"),
                finishes ? "no undefined number, but an error is expected" : "undefined numbers: " + score.warnings()));
        if (expected.has("error")) {
            return;
        }
        score.splits()
                .forEach((split, numbers) -> out.accept(ExpectedValues.table(
                        name(),
                        run + "/" + split,
                        table(numbers),
                        expected.get("categories").get(split))));
        out.accept(ExpectedValues.value(
                name(), run + "/mean F1", score.meanF1(), expected.get("mean_f1_over_categories")));
        Map<String, String> parsed = new LinkedHashMap<>();
        score.parsed().forEach((id, yes) -> parsed.put(id.toString(), yes ? "yes" : "no"));
        out.accept(ExpectedValues.table(name(), run + "/parsed", parsed, expected.get("per_question_parsed")));
    }

    private static Map<String, Object> table(SplitScore score) {
        Map<String, Object> table = new LinkedHashMap<>();
        table.put("samples", score.answers());
        table.put("TP", score.truePositives());
        table.put("FP", score.falsePositives());
        table.put("TN", score.trueNegatives());
        table.put("FN", score.falseNegatives());
        table.put("accuracy", score.accuracy());
        table.put("precision", score.precision());
        table.put("recall", score.recall());
        table.put("f1", score.f1());
        table.put("yes_ratio", score.yesRatio());
        table.put("printed", score.printed());
        return table;
    }
}
