package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.report.ReportSample;
import io.llava4j.eval.report.TaskResult;
import io.llava4j.eval.score.GroundTruth;
import io.llava4j.eval.score.QuestionSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Chooses wrong answers for the report. */
final class WrongAnswerSamples {
    private static final long LARGEST_IMAGE = 1 << 20;
    private static final double WRONG = 0.5;

    private WrongAnswerSamples() {}

    /**
     * Draws wrong answers by a fixed seed. Skips questions with an image that is neither JPEG nor PNG, or larger than a megabyte.
     */
    static List<ReportSample> draw(
            TaskResult result,
            List<Question> questions,
            Path answers,
            Path images,
            GroundTruth groundTruth,
            int atMost) {
        QuestionSource names = result.benchmark().questionSource();
        // The runner writes answers in the order of the questions; an id is not enough where it names the image.
        List<Answer> given = AnswerFile.read(answers);
        Map<Question, Answer> byQuestion = new LinkedHashMap<>();
        for (int i = 0; i < Math.min(given.size(), questions.size()); i++) {
            byQuestion.put(questions.get(i), given.get(i));
        }
        List<Question> wrong = byQuestion.keySet().stream()
                .filter(question -> result.perQuestion().getOrDefault(names.name(question), 1.0) < WRONG)
                .toList();
        List<ReportSample> samples = new ArrayList<>();
        for (Question question : ReportSample.choose(wrong, 4 * atMost, 1)) {
            Answer answer = byQuestion.get(question);
            List<Path> files = question.images().stream().map(images::resolve).toList();
            if (answer == null || samples.size() == atMost || !files.stream().allMatch(WrongAnswerSamples::isShown)) {
                continue;
            }
            List<String> truth = groundTruth.answersTo(question, names.name(question));
            samples.add(new ReportSample(
                    files.stream().map(ReportSample.Image::read).toList(),
                    question.text().lines().findFirst().orElse(""),
                    truth.isEmpty() ? "not in the files" : String.join(", ", truth),
                    answer.text(),
                    "",
                    result.perQuestion().getOrDefault(names.name(question), 0.0)));
        }
        return samples;
    }

    private static boolean isShown(Path file) {
        try {
            return ReportSample.Image.isShown(file) && Files.size(file) <= LARGEST_IMAGE;
        } catch (IOException e) {
            throw new DataException("%s: cannot be read for the report (%s)".formatted(file, e.getMessage()), e);
        }
    }
}
