package io.llava4j.eval.gqa;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.PythonJson;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.format.ResultFile;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.io.AtomicFiles;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** GQA, testdev balanced (docs/reference/evaluation.md#gqa). */
public final class Gqa {
    /** LLaVA's question file, the official questions with answers, and the choices that may be missing. */
    public static final BenchmarkFilePatterns FILES = new BenchmarkFilePatterns(
            Map.of(
                    FileRole.QUESTIONS, List.of("llava_gqa_*.jsonl"),
                    FileRole.ANNOTATIONS,
                            List.of(
                                    "*balanced_questions.json",
                                    "data/*balanced_questions.json",
                                    "data/questions1.2/*balanced_questions.json"),
                    FileRole.CHOICES, List.of("*balanced_choices.json", "data/*balanced_choices.json"),
                    FileRole.IMAGES, List.of("data/images", "images")),
            List.of(FileRole.ANNOTATIONS));

    private Gqa() {}

    /** Official questions as LLaVA asks them. */
    public static List<Question> official(Path file, UnaryOperator<String> render) {
        List<Question> questions = new ArrayList<>();
        GqaQuestion.read(file)
                .forEach((id, question) -> questions.add(new Question(
                        QuestionId.of(id), question.image() + ".jpg", render.apply(question.question()), "default")));
        return questions;
    }

    /** Accuracy and the official code's other numbers. */
    public static Score score(ScoreInput input) {
        Map<String, GqaQuestion> questions = GqaQuestion.read(input.files().require(FileRole.ANNOTATIONS));
        ResultFile file = ResultFile.read(input.answers(), "questionId", "prediction", BrokenLines.REFUSE);
        refuseNumbers(file, input.answers());
        Path choices = input.files().find(FileRole.CHOICES);
        GqaScore score = GqaScore.of(questions, predictions(file), choices == null ? null : choices(choices), false);
        Map<String, Double> shares = new LinkedHashMap<>();
        score.correct().forEach((id, value) -> shares.put(id, value.doubleValue()));
        Coverage coverage = Coverage.of(
                questions.keySet().stream().map(QuestionId::of).toList(),
                file.answers().stream().map(Answer::id).toList(),
                0);
        return new Score(
                "accuracy",
                numbers(score),
                shares,
                score.correct().size(),
                coverage.warnings("do not count (they are not balanced)"),
                input.strict() ? strict(questions, file) : null);
    }

    private static void refuseNumbers(ResultFile file, Path answers) {
        if (file.answers().stream().allMatch(answer -> answer.id().number())) {
            throw new DataException(
                    "%s: the ids are numbers, such as %s, but GQA's are text, and its code finds no such prediction; write them as \"%s\""
                            .formatted(
                                    answers,
                                    file.answers().getFirst().id(),
                                    file.answers().getFirst().id()));
        }
    }

    private static Score.Strict strict(Map<String, GqaQuestion> questions, ResultFile file) {
        Map<String, String> predictions = predictions(file);
        predictions.replaceAll((id, prediction) -> PythonText.strip(prediction));
        return new Score.Strict(
                "white space around a prediction does not count",
                numbers(GqaScore.of(questions, predictions, null, false)));
    }

    private static Map<String, Double> numbers(GqaScore score) {
        Map<String, Double> numbers = new LinkedHashMap<>();
        numbers.put("accuracy", 0.0);
        numbers.putAll(score.metrics());
        numbers.remove("consistency");
        numbers.put("distribution", score.distribution());
        score.groups()
                .forEach((name, means) ->
                        means.means().forEach((key, mean) -> numbers.put(name + "/" + key, mean * 100)));
        return numbers;
    }

    /** Writes LLaVA's {@code testdev_balanced_predictions.json}. */
    public static void submit(BenchmarkFiles files, Path answers, Path target) {
        AtomicFiles.write(target, converted(answers).getBytes(StandardCharsets.UTF_8));
    }

    /** LLaVA's conversion; repeated answers stay. */
    public static String converted(Path answers) {
        List<Map<String, Object>> records = new ArrayList<>();
        ResultFile file = ResultFile.read(answers, "questionId", "prediction", BrokenLines.REFUSE);
        file.answers().forEach(answer -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("questionId", answer.id());
            entry.put("prediction", file.official() ? answer.text() : prediction(answer.text()));
            records.add(entry);
        });
        return PythonJson.dumps(records);
    }

    /**
     * Predictions by question, the last of several; an official file's are taken as they are. GQA's ids are text, and its
     * code does not find an answer whose id is a number.
     */
    public static Map<String, String> predictions(ResultFile file) {
        Map<String, String> predictions = new HashMap<>();
        file.answers().stream()
                .filter(answer -> !answer.id().number())
                .forEach(answer -> predictions.put(
                        answer.id().value(), file.official() ? answer.text() : prediction(answer.text())));
        return predictions;
    }

    /** Every trailing period goes, white space stays. */
    private static String prediction(String text) {
        return PythonText.lower(PythonText.stripTrailing(text, '.'));
    }

    public static Map<String, GqaScore.Choices> choices(Path file) {
        Map<String, GqaScore.Choices> choices = new HashMap<>();
        JsonFiles.fields(
                file,
                (id, record) -> choices.put(
                        id,
                        new GqaScore.Choices(
                                Set.copyOf(record.texts("valid")), Set.copyOf(record.texts("plausible")))));
        return choices;
    }
}
