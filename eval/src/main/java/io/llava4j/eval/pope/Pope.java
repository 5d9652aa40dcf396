package io.llava4j.eval.pope;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.pope.PopeScore.SplitScore;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.eval.score.UnknownLabels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** POPE (docs/reference/evaluation.md#pope). Numbers are 0..1. */
public final class Pope {
    /** LLaVA's question file and the folder of label files. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of(PopeFiles.QUESTIONS),
                    FileRole.ANNOTATIONS, List.of(PopeFiles.LABELS),
                    FileRole.IMAGES, List.of("val2014", "images")),
            List.of(FileRole.QUESTIONS, FileRole.ANNOTATIONS));

    private Pope() {}

    /** Questions of label files as LLaVA asks them. */
    public static List<Question> official(Path labels, UnaryOperator<String> render) {
        Map<PopeSplit, List<PopeLabel>> splits = new EnumMap<>(PopeSplit.class);
        PopeScorer.readLabels(labels).forEach((name, list) -> splits.put(split(labels, name), list));
        return PopeFiles.questions(splits, render);
    }

    private static PopeSplit split(Path labels, String name) {
        return Stream.of(PopeSplit.values())
                .filter(split -> split.label().equals(name))
                .findFirst()
                .orElseThrow(() -> new DataException(
                        "%s: without a question file, splits can only be random, popular and adversarial, not '%s'"
                                .formatted(labels, name)));
    }

    /** F1, accuracy, precision, recall and yes ratio of each split, and the mean F1, which is published. */
    public static Score score(ScoreInput input) {
        List<Question> questions = questions(input.files());
        Map<String, List<PopeLabel>> labels =
                PopeScorer.readLabels(input.files().require(FileRole.ANNOTATIONS));
        List<Answer> answers = AnswerFile.readSome(input.answers());
        PopeScore score = PopeScorer.score(questions, labels, answers, PopeScorer.Matching.OFFICIAL);
        List<String> warnings = new ArrayList<>(score.warnings());
        warnings.addAll(Coverage.of(
                        questions.stream().map(Question::id).toList(),
                        answers.stream().map(Answer::id).toList(),
                        0)
                .warnings("shift all that follow to other labels"));
        warnings.addAll(unknown(labels));
        return new Score(
                "f1",
                numbers(score),
                shares(questions, labels, score.parsed()),
                score.parsed().size(),
                warnings,
                input.strict()
                        ? new Score.Strict(
                                "answers meet their labels by image and question, not by position",
                                numbers(PopeScorer.score(questions, labels, answers, PopeScorer.Matching.STRICT)))
                        : null);
    }

    private static List<String> unknown(Map<String, List<PopeLabel>> labels) {
        UnknownLabels unknown = new UnknownLabels();
        labels.forEach((split, list) -> list.forEach(label -> unknown.check(
                PopeLabel.KNOWN, label.label(), "'%s' about %s, %s".formatted(label.text(), label.image(), split))));
        return unknown.warnings("yes or no in small letters", "the official script takes every label but no for yes");
    }

    /** The official score of every split with its counts. */
    public static PopeScore details(BenchmarkFiles files, Path answers) {
        return PopeScorer.score(
                questions(files),
                PopeScorer.readLabels(files.require(FileRole.ANNOTATIONS)),
                AnswerFile.read(answers),
                PopeScorer.Matching.OFFICIAL);
    }

    private static List<Question> questions(BenchmarkFiles files) {
        Path questions = files.find(FileRole.QUESTIONS);
        return questions == null
                ? official(files.require(FileRole.ANNOTATIONS), UnaryOperator.identity())
                : QuestionFile.read(questions);
    }

    private static Map<String, Double> shares(
            List<Question> questions, Map<String, List<PopeLabel>> labels, Map<QuestionId, Boolean> parsed) {
        Map<String, Boolean> truths = new LinkedHashMap<>();
        labels.forEach((split, list) ->
                list.forEach(label -> truths.put(split + '\n' + label.image() + '\n' + label.text(), label.yes())));
        Map<String, Double> shares = new LinkedHashMap<>();
        for (Question question : questions) {
            Boolean said = parsed.get(question.id());
            Boolean truth = truths.get(question.category()
                    + '\n'
                    + question.image()
                    + '\n'
                    + question.text().lines().findFirst().orElse(""));
            if (said != null && truth != null) {
                shares.put(question.id().toString(), said.equals(truth) ? 1.0 : 0.0);
            }
        }
        return shares;
    }

    private static Map<String, Double> numbers(PopeScore score) {
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
        return numbers;
    }

    /** What the official script gives for a split, by the names of the reference data. */
    public static Map<String, Object> table(SplitScore score) {
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
