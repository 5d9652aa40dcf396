package io.llava4j.eval.run;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.report.ReportSample;
import io.llava4j.eval.report.TaskResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Wrong answers to look at. */
final class Gallery {
    private static final long LARGEST_PICTURE = 1 << 20;
    private static final double WRONG = 0.5;

    private Gallery() {}

    /**
     * Draws wrong answers by a fixed seed; pictures that are no JPEG or PNG, or larger than a megabyte, are passed over.
     *
     * @param truths of {@link Truths#of}
     */
    static List<ReportSample> wrong(
            TaskResult result,
            List<Question> questions,
            Path answers,
            Path pictures,
            Map<String, List<String>> truths,
            int most) {
        Map<String, Answer> byId = new HashMap<>();
        AnswerFile.read(answers).forEach(answer -> byId.put(answer.id().value(), answer));
        List<Question> wrong = new ArrayList<>();
        for (Question question : questions) {
            Double credit = result.perQuestion().get(question.id().value());
            if (credit != null
                    && credit < WRONG
                    && byId.containsKey(question.id().value())) {
                wrong.add(question);
            }
        }
        List<ReportSample> samples = new ArrayList<>();
        for (Question question : ReportSample.choose(wrong, 4 * most, 1)) {
            String image = question.image();
            Answer answer = byId.get(question.id().value());
            if (image == null || answer == null || samples.size() == most) {
                continue;
            }
            String name = image.toLowerCase(Locale.ROOT);
            boolean png = name.endsWith(".png");
            Path file = pictures.resolve(image);
            List<String> truth = Truths.to(truths, question);
            try {
                if ((png || name.endsWith(".jpg") || name.endsWith(".jpeg")) && Files.size(file) <= LARGEST_PICTURE) {
                    samples.add(new ReportSample(
                            Files.readAllBytes(file),
                            png ? "image/png" : "image/jpeg",
                            question.text().lines().findFirst().orElse(""),
                            truth.isEmpty() ? "not in the files" : String.join(", ", truth),
                            answer.text(),
                            "",
                            result.perQuestion().getOrDefault(question.id().value(), 0.0)));
                }
            } catch (IOException e) {
                throw new DataException("%s: cannot be read for the report (%s)".formatted(file, e.getMessage()), e);
            }
        }
        return samples;
    }
}
