package io.llava4j.eval.gqa;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GqaScoreTest {
    private static final String QUESTION = """
            {"question": "Is it red?", "imageId": "n1", "isBalanced": %s, "answer": "%s", "entailed": [],
             "groups": {"global": %s}, "types": {"detailed": "d", "semantic": "attr", "structural": "verify"},
             "semantic": [{"operation": "select", "argument": "car"}, {"operation": "exist", "argument": "?"}]}""";

    @TempDir
    Path folder;

    @Test
    void allTrailingPeriodsGoButWhiteSpaceStays() throws Exception {
        write(
                "testdev_balanced_questions.json",
                "{\"1\": %s, \"2\": %s, \"3\": %s}"
                        .formatted(
                                QUESTION.formatted("true", "yes", "\"g\""),
                                QUESTION.formatted("true", "yes", "null"),
                                QUESTION.formatted("false", "no", "null")));
        write(
                "answers.jsonl",
                "\uFEFF{\"question_id\": \"1\", \"text\": \"No\"}\r\n"
                        + "{\"question_id\": \"1\", \"text\": \"YES...\"}\r\n\r\n"
                        + "{\"question_id\": \"2\", \"text\": \"yes\\n\"}\r\n"
                        + "{\"question_id\": \"9\", \"text\": \"yes\"}");
        Score score = score();
        assertThat(score.numbers())
                .containsEntry("accuracy", 50.0)
                .containsEntry("binary", 50.0)
                .containsEntry("open", 0.0)
                .containsEntry("accuracyPerSteps/1", 50.0)
                .containsEntry("accuracyPerLength/3", 50.0);
        assertThat(score.strictNumbers()).containsEntry("accuracy", 100.0);
        assertThat(score.warnings())
                .contains("1 answers belong to no question (9)")
                .anyMatch(w -> w.contains("replaced by a later one"));
    }

    @Test
    void missingPredictionsAndGroupsAreRefusedAsByTheOfficialCode() throws Exception {
        write(
                "testdev_balanced_questions.json",
                "{\"1\": %s, \"2\": %s}"
                        .formatted(
                                QUESTION.formatted("true", "yes", "null"), QUESTION.formatted("true", "no", "null")));
        write("answers.jsonl", "{\"question_id\": \"1\", \"text\": \"Yes\"}\n");
        assertThatThrownBy(this::score)
                .isInstanceOf(DataException.class)
                .hasMessageContaining("1 questions have no prediction (the first is 2)");
        write("answers.jsonl", "{\"question_id\": \"1\", \"text\": \"\"}\n{\"question_id\": \"2\", \"text\": \"\"}\n");
        assertThatThrownBy(this::score).hasMessageContaining("no question has a global group");
        write("answers.jsonl", "{\"question_id\": \"1\", \"text\"\n");
        assertThatThrownBy(this::score).hasMessageContaining("answers.jsonl line 1: not valid JSON");
        write("answers.jsonl", "");
        assertThatThrownBy(this::score).hasMessageContaining("answers.jsonl: holds no answers");
    }

    private Score score() {
        return Benchmarks.GQA
                .scorer()
                .score(new ScoreInput(Benchmarks.GQA.files(folder), folder.resolve("answers.jsonl"), null, true));
    }

    private void write(String name, String content) throws Exception {
        Files.writeString(folder.resolve(name), content);
    }
}
