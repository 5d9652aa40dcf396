package io.llava4j.eval.score;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Labels outside a benchmark's vocabulary are counted in a warning; files of another edition are refused or named. */
class LabelsAndEditionsTest {
    @TempDir
    Path folder;

    @Test
    void popesOfficialNumberStaysAndCapitalLabelsAreWarnedOf() throws Exception {
        write("llava_pope_test.jsonl", """
                {"question_id": 1, "image": "a.jpg", "text": "A?", "category": "random"}
                {"question_id": 2, "image": "a.jpg", "text": "B?", "category": "random"}
                """);
        write("answers.jsonl", "{\"question_id\": 1, \"text\": \"yes\"}\n{\"question_id\": 2, \"text\": \"no\"}\n");
        String labels =
                "{\"image\": \"a.jpg\", \"text\": \"A?\", \"label\": \"%s\"}\n{\"image\": \"a.jpg\", \"text\": \"B?\", \"label\": \"%s\"}\n";
        Files.createDirectories(folder.resolve("coco"));
        write("coco/coco_pope_random.json", labels.formatted("yes", "no"));
        assertThat(score(Benchmarks.POPE).numbers()).containsEntry("accuracy", 1.0);
        assertThat(score(Benchmarks.POPE).warnings()).isEmpty();
        write("coco/coco_pope_random.json", labels.formatted("Yes", "No"));
        Score capital = score(Benchmarks.POPE);
        assertThat(capital.numbers()).containsEntry("accuracy", 0.5);
        assertThat(capital.warnings()).singleElement().asString().contains("2 of 2 labels are not yes or no", "'Yes'");
    }

    @Test
    void lettersOfAnswersThatNoOptionHasAreWarnedOf() throws Exception {
        write("mmbench_dev_20230712.tsv", "index\tquestion\tA\tB\tanswer\n1\tWho?\tme\tyou\ta\n2\tWho?\tme\tyou\tB\n");
        write("answers.jsonl", "{\"question_id\": 1, \"text\": \"A\"}\n{\"question_id\": 2, \"text\": \"B\"}\n");
        Score score = score(Benchmarks.MMBENCH);
        assertThat(score.value()).isEqualTo(0.5);
        assertThat(score.warnings()).singleElement().asString().contains("1 of 2 labels", "'a' of row 1");

        seed("\"image\"", "\"x\"", "a");
        write("answers.jsonl", "{\"question_id\": 1, \"text\": \"A\"}\n");
        assertThat(score(Benchmarks.SEED).warnings()).anyMatch(w -> w.contains("labels are not A, B, C or D"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"Single Image", "Interleaved Image", "Image Generation", ""})
    void laterEditionsOfSeedAreRefusedByTheirKindOfData(String type) throws Exception {
        seed("\"" + type + "\"", "\"x\"", "A");
        write("answers.jsonl", "{\"question_id\": 1, \"text\": \"A\"}\n");
        assertThatThrownBy(() -> score(Benchmarks.SEED))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("data_type is '" + type + "', so this is another edition")
                .hasMessageContaining("SEED-Bench v1");
        seed("\"image\"", "[\"x\", \"y\"]", "A");
        assertThatThrownBy(() -> score(Benchmarks.SEED)).hasMessageContaining("data_id is a list of images");
        assertThatThrownBy(() -> Benchmarks.SEED.questions(folder)).hasMessageContaining("another edition");
    }

    @Test
    void mmVetV2IsRefusedAndMmBenchV11IsNamed() throws Exception {
        write("mm-vet.json", "{\"v2_0\": {\"question\": \"Q\", \"answer\": \"a\", \"added_in\": \"v2\"}}");
        assertThatThrownBy(() -> Benchmarks.MM_VET.questions(folder)).hasMessageContaining("MM-Vet v2's question v2_0");
        write("MMBench_DEV_EN_V11.tsv", "index\tquestion\tA\tB\tanswer\n1\tWho?\tme\tyou\tA\n");
        write("answers.jsonl", "{\"question_id\": 1, \"text\": \"A\"}\n");
        Score score = score(Benchmarks.MMBENCH);
        assertThat(score.value()).isEqualTo(1);
        assertThat(score.warnings()).singleElement().asString().contains("is MMBench v1.1", "cannot be compared");
    }

    @Test
    void columnsInCapitalsAreReadAsVlmEvalKitDoesAndAMissingOneIsNamed() throws Exception {
        write("mmbench_dev_20230712.tsv", "INDEX\tQUESTION\tA\tB\tANSWER\n1\tWho?\tme\tyou\tA\n");
        write("answers.jsonl", "{\"question_id\": 1, \"text\": \"A\"}\n");
        assertThat(score(Benchmarks.MMBENCH).value()).isEqualTo(1);
        write("mmbench_dev_20230712.tsv", "id\tquestion\tA\tB\tanswer\n1\tWho?\tme\tyou\tA\n");
        assertThatThrownBy(() -> score(Benchmarks.MMBENCH)).hasMessageContaining("has no column 'index'");
    }

    @Test
    void theImagePartOfSeedLeavesVideosOut() throws Exception {
        write("SEED-Bench.json", """
                {"question_type": {"Scene": 1, "Action": 10}, "questions": [
                 {"question_id": "1", "question_type_id": 1, "data_type": "image", "answer": "A", "data_id": "x",
                  "question": "Q?", "choice_a": "a", "choice_b": "b", "choice_c": "c", "choice_d": "d"},
                 {"question_id": "v1", "question_type_id": 10, "data_type": "video", "answer": "C", "data_id": "y.mp4",
                  "question": "R?", "choice_a": "a", "choice_b": "b", "choice_c": "c", "choice_d": "d"}]}
                """);
        assertThat(Benchmarks.SEED.questions(folder)).hasSize(2);
        assertThat(Benchmarks.SEED_IMAGE.questions(folder))
                .singleElement()
                .satisfies(question -> assertThat(question.image()).isEqualTo("SEED-Bench-image/x"));
        write("answers.jsonl", "{\"question_id\": 1, \"text\": \"A\"}\n{\"question_id\": \"v1\", \"text\": \"A\"}\n");
        assertThat(score(Benchmarks.SEED).value()).isEqualTo(50);
        Score images = score(Benchmarks.SEED_IMAGE);
        assertThat(images.value()).isEqualTo(100);
        assertThat(images.samples()).isEqualTo(1);
        assertThat(images.numbers()).doesNotContainKeys("Action", "video");
        assertThat(images.warnings()).isEmpty();
    }

    @Test
    void gqaDoesNotFindPredictionsWithNumbersForIds() throws Exception {
        write("testdev_balanced_questions.json", """
                {"7": {"question": "Is it?", "imageId": "1", "isBalanced": true, "answer": "yes", "semantic": [],
                 "groups": {"global": "g"}, "types": {"structural": "verify", "semantic": "obj", "detailed": "d"}}}
                """);
        write("answers.jsonl", "{\"question_id\": 7, \"prompt\": \"p\", \"text\": \"yes\"}\n");
        assertThatThrownBy(() -> score(Benchmarks.GQA))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("the ids are numbers, such as 7");
        write("answers.jsonl", "{\"question_id\": \"7\", \"prompt\": \"p\", \"text\": \"yes\"}\n");
        assertThat(score(Benchmarks.GQA).value()).isEqualTo(100);
    }

    private void seed(String type, String data, String answer) throws Exception {
        write("SEED-Bench.json", """
                {"question_type": {"Scene": 1}, "questions": [
                 {"question_id": "1", "question_type_id": 1, "data_type": %s, "data_id": %s, "answer": "%s"}]}
                """.formatted(type, data, answer));
    }

    private Score score(Benchmark benchmark) {
        return benchmark
                .scorer()
                .score(new ScoreInput(benchmark.files(folder), folder.resolve("answers.jsonl"), null, false));
    }

    private void write(String name, String content) throws Exception {
        Files.writeString(folder.resolve(name), content);
    }
}
