package io.llava4j.eval.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.report.ReportSample;
import io.llava4j.eval.report.TaskResult;
import io.llava4j.eval.score.GroundTruth;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WrongAnswerSamplesTest {
    @TempDir
    private Path folder;

    @Test
    void aWrongAnswerIsShownWithAllImagesOfItsQuestion() throws IOException {
        Files.write(folder.resolve("a.png"), new byte[] {1});
        Files.write(folder.resolve("b.JPG"), new byte[] {2});
        Files.write(folder.resolve("c.gif"), new byte[] {3});
        List<Question> questions = List.of(
                question("two", List.of("a.png", "b.JPG")),
                question("right", List.of("a.png")),
                question("unusual", List.of("a.png", "c.gif")),
                question("none", List.of()));
        Path answers = folder.resolve("answers.jsonl");
        Files.writeString(answers, """
                {"question_id": "two", "text": "yes"}
                {"question_id": "right", "text": "no"}
                {"question_id": "unusual", "text": "yes"}
                {"question_id": "none", "text": "yes"}
                """);
        TaskResult result = new TaskResult(
                Benchmarks.SEVERAL_IMAGES,
                "accuracy",
                Map.of("accuracy", 25.0),
                4,
                "",
                List.of(),
                Map.of("two", 0.0, "right", 1.0, "unusual", 0.0, "none", 0.0));

        List<ReportSample> samples =
                WrongAnswerSamples.draw(result, questions, answers, folder, GroundTruth.of(Map.of("two", "no")), 4);

        assertThat(samples).singleElement().satisfies(sample -> {
            assertThat(sample.images())
                    .extracting(ReportSample.Image::mediaType)
                    .containsExactly("image/png", "image/jpeg");
            assertThat(sample.images().getLast().bytes()).containsExactly(2);
            assertThat(sample.answer()).isEqualTo("yes");
            assertThat(sample.truth()).isEqualTo("no");
        });
    }

    private static Question question(String id, List<String> images) {
        return new Question(QuestionId.of(id), images, "Are they the same?", "same", null);
    }
}
