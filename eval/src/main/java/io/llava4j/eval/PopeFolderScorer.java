package io.llava4j.eval;

import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.pope.PopeFiles;
import io.llava4j.eval.pope.PopeScore;
import io.llava4j.eval.pope.PopeScorer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Scores POPE from {@code llava_pope_test.jsonl} and {@code coco/coco_pope_*.json}. Numbers are 0..1. */
final class PopeFolderScorer implements Scorer {
    @Override
    public Score score(Path folder, Path answers) {
        PopeScore score = PopeScorer.score(
                QuestionFile.read(folder.resolve(PopeFiles.QUESTIONS)),
                PopeScorer.readLabels(folder.resolve(PopeFiles.LABELS)),
                AnswerFile.read(answers),
                PopeScorer.Matching.OFFICIAL);
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("f1", score.meanF1());
        numbers.put("accuracy", score.meanAccuracy());
        score.splits().forEach((name, split) -> {
            numbers.put(name + "/f1", split.f1());
            numbers.put(name + "/accuracy", split.accuracy());
            numbers.put(name + "/precision", split.precision());
            numbers.put(name + "/recall", split.recall());
            numbers.put(name + "/yes_ratio", split.yesRatio());
        });
        return new Score("f1", numbers, score.parsed().size(), score.warnings());
    }
}
