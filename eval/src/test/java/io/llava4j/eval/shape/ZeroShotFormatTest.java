package io.llava4j.eval.shape;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ZeroShotFormatTest {
    @TempDir
    Path folder;

    @Test
    void sharesOfQuestionsCalledUnanswerable() throws Exception {
        Files.writeString(folder.resolve("val.json"), """
                [{"image": "VizWiz_val_00000001.jpg", "question": "What?", "answerable": 0},
                 {"image": "VizWiz_val_00000002.jpg", "question": "Who?", "answerable": 0},
                 {"image": "VizWiz_val_00000003.jpg", "question": "Where?", "answerable": 1}]
                """);
        assertThat(Benchmarks.UNANSWERABLE_PLAIN.questions(folder).getFirst().text())
                .isEqualTo("What?\nAnswer the question using a single word or phrase.");
        assertThat(Benchmarks.UNANSWERABLE_PROMPTED.questions(folder).getFirst().text())
                .contains("respond with 'Unanswerable'");
        Files.writeString(folder.resolve("answers.jsonl"), """
                {"question_id": 1, "text": "Unanswerable."}
                {"question_id": 2, "text": "a dog"}
                {"question_id": 3, "text": "unanswerable"}
                """);
        assertThat(score(Benchmarks.UNANSWERABLE_PROMPTED).numbers())
                .containsEntry("called_unanswerable", 50.0)
                .containsEntry("wrongly_called_unanswerable", 100.0);
    }

    @Test
    void jsonMustBeValidFromBeginningToEnd() throws Exception {
        Files.writeString(folder.resolve("json_fields.jsonl"), """
                {"question_id": 1, "fields": {"animal": "dog", "count": 2}}
                {"question_id": 2, "fields": {"animal": ["cat", "kitten"], "red": true}}
                {"question_id": 3, "fields": {"animal": "cow"}}
                """);
        Files.writeString(folder.resolve("answers.jsonl"), """
                {"question_id": 1, "text": "{\\"animal\\": \\" Dog\\", \\"count\\": 2.0}"}
                {"question_id": 2, "text": "{\\"animal\\": \\"kitten\\", \\"red\\": \\"true\\"}\\n"}
                {"question_id": 3, "text": "Sure: {\\"animal\\": \\"cow\\"}"}
                """);
        Score score = score(Benchmarks.JSON_ANSWERS);
        assertThat(score.numbers())
                .containsEntry("valid", 100 * (2 / 3.0))
                .containsEntry("fields", 60.0)
                .containsEntry("all_fields", 100 * (1 / 3.0));
        assertThat(score.perQuestion()).containsEntry("2", 0.5);
    }

    private Score score(Benchmark benchmark) {
        return benchmark.scorer().score(ScoreInput.official(benchmark.files(folder), folder.resolve("answers.jsonl")));
    }
}
