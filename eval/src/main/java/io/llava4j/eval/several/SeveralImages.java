package io.llava4j.eval.several;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.JsonFiles.BrokenLines;
import io.llava4j.eval.format.PythonText;
import io.llava4j.eval.score.BenchmarkFilePatterns;
import io.llava4j.eval.score.Coverage;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Means;
import io.llava4j.eval.score.QuestionSource;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Questions about two or three images with short answers, such as the nano world's. The question file is LLaVA's with arrays of
 * images; the annotations are JSON lines of {@code question_id}, {@code answer} and {@code kind}.
 */
public final class SeveralImages {
    /** Questions, answers and images. */
    public static final BenchmarkFilePatterns FILES = files(List.of());

    /** The same files for a run that shows only the first image of a question. */
    public static final BenchmarkFilePatterns FILES_OF_SEVERAL = files(List.of("several_images"));

    private static final String CONCLUSION = "the answer is ";

    private SeveralImages() {}

    private static BenchmarkFilePatterns files(List<String> folders) {
        return new BenchmarkFilePatterns(
                Map.of(
                        FileRole.QUESTIONS, List.of("several_images_questions.jsonl"),
                        FileRole.ANNOTATIONS, List.of("several_images_answers.jsonl"),
                        FileRole.IMAGES, List.of("images")),
                List.of(FileRole.QUESTIONS, FileRole.ANNOTATIONS),
                folders);
    }

    /** The same questions with the first image alone: what can be answered without seeing the others. */
    public static QuestionSource firstImage(QuestionSource all) {
        return (files, render) -> all.questions(files, render).stream()
                .map(question -> question.withImages(question.images()
                        .subList(0, Math.min(1, question.images().size()))))
                .toList();
    }

    private record Truth(String answer, String kind) {}

    /**
     * Percent of right answers over all questions and by kind. Where an answer has "the answer is", only what follows the last one
     * counts; case and periods at the end do not.
     */
    public static Score score(ScoreInput input) {
        Path file = input.files().require(FileRole.ANNOTATIONS);
        Map<String, Truth> truths = new LinkedHashMap<>();
        JsonFiles.lines(
                file,
                BrokenLines.REFUSE,
                line -> truths.put(line.id("question_id").value(), new Truth(line.text("answer"), line.text("kind"))));
        if (truths.isEmpty()) {
            throw new DataException(file + ": holds no annotations");
        }
        List<Answer> answers = AnswerFile.readSome(input.answers());
        Map<String, String> said = new HashMap<>();
        answers.forEach(answer -> said.put(answer.id().value(), answer.text()));
        Means means = new Means();
        Map<String, Double> shares = new LinkedHashMap<>();
        truths.forEach((id, truth) -> {
            String answer = said.get(id);
            double right = answer != null && plain(answer).equals(plain(truth.answer())) ? 1 : 0;
            shares.put(id, right);
            means.add("accuracy", right);
            means.add(truth.kind(), right);
        });
        return new Score(
                "accuracy",
                means.percent(),
                shares,
                truths.size(),
                Coverage.of(
                                truths.keySet(),
                                answers.stream()
                                        .map(answer -> answer.id().value())
                                        .toList(),
                                0)
                        .warnings("count as wrong"),
                null);
    }

    private static String plain(String text) {
        String lower = PythonText.lower(text);
        int conclusion = lower.lastIndexOf(CONCLUSION);
        String answer = conclusion < 0 ? lower : lower.substring(conclusion + CONCLUSION.length());
        return PythonText.strip(PythonText.stripTrailing(PythonText.strip(answer), '.'));
    }
}
