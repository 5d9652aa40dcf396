package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.report.ReportSample;
import io.llava4j.eval.report.TaskResult;
import io.llava4j.eval.score.GroundTruth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** Wrong answers to look at. */
final class WrongAnswerSamples {
    private static final long LARGEST_IMAGE = 1 << 20;
    private static final double WRONG = 0.5;

    private WrongAnswerSamples() {}

    /**
     * Draws wrong answers by a fixed seed; images that are no JPEG or PNG, or larger than a megabyte, are passed over.
     *
     * @param name of a question among the result's
     */
    static List<ReportSample> wrong(
            TaskResult result,
            Function<Question, String> name,
            List<Question> questions,
            Path answers,
            Path images,
            GroundTruth groundTruth,
            int most) {
        // The runner writes answers in the order of the questions; ids alone do not tell where an image's is one.
        List<Answer> given = AnswerFile.read(answers);
        Map<Question, Answer> byQuestion = new LinkedHashMap<>();
        for (int i = 0; i < Math.min(given.size(), questions.size()); i++) {
            byQuestion.put(questions.get(i), given.get(i));
        }
        List<Question> wrong = byQuestion.keySet().stream()
                .filter(question -> result.perQuestion().getOrDefault(name.apply(question), 1.0) < WRONG)
                .toList();
        List<ReportSample> samples = new ArrayList<>();
        for (Question question : ReportSample.choose(wrong, 4 * most, 1)) {
            String image = question.image();
            Answer answer = byQuestion.get(question);
            if (image == null || answer == null || samples.size() == most) {
                continue;
            }
            String lower = image.toLowerCase(Locale.ROOT);
            boolean png = lower.endsWith(".png");
            Path file = images.resolve(image);
            List<String> truth = groundTruth.answersTo(question, name.apply(question));
            try {
                if ((png || lower.endsWith(".jpg") || lower.endsWith(".jpeg")) && Files.size(file) <= LARGEST_IMAGE) {
                    samples.add(new ReportSample(
                            Files.readAllBytes(file),
                            png ? "image/png" : "image/jpeg",
                            question.text().lines().findFirst().orElse(""),
                            truth.isEmpty() ? "not in the files" : String.join(", ", truth),
                            answer.text(),
                            "",
                            result.perQuestion().getOrDefault(name.apply(question), 0.0)));
                }
            } catch (IOException e) {
                throw new DataException("%s: cannot be read for the report (%s)".formatted(file, e.getMessage()), e);
            }
        }
        return samples;
    }
}
