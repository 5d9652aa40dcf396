package io.llava4j.eval.choice;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.tuple;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.score.GroundTruthMissingException;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.io.AtomicFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ChoiceRulesTest {
    private static final Map<String, String> OPTIONS =
            new TreeMap<>(Map.of("A", "a red car", "B", "a blue car", "C", "apple", "D", "a dog"));

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            ignoreLeadingAndTrailingWhitespace = false,
            value = {
                "A|A",
                "A.|FAILED",
                "A. red|A",
                " A|FAILED",
                "a|FAILED",
                "F|FAILED",
                "The answer is B|FAILED",
                "The answer is Blue.|B",
                "The answer is C. The answer is D.|FAILED",
                "I think: The answer is E)|E"
            })
    void scienceQaParsesAsLlavaDoes(String text, String parsed) {
        assertThat(ScienceQa.parse(text)).isEqualTo(parsed);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                // answer | VLMEvalKit | January 2024 | lmms-eval
                "B | B | B | B",
                "(B) | B | B | B",
                "[B] | B | B | -",
                "B or C | - | - | -",
                "B because the image shows many things | - | B | B",
                "answer is apple | A | C | C",
                "Cannot determine the answer | Z | - | -",
                "Z | Z | Z | -",
                "Failed to obtain answer via API | - | - | -",
                "it is an apple | C | C | C",
                "A dog is what it is A | D | A | D",
                "E | - | - | E",
                "\uff22 | - | - | -"
            })
    void mmBenchMatchesAsItsThreeCodesDo(String answer, String now, String then, String lmms) {
        assertThat(OptionMatching.VLMEVALKIT.infer(answer, OPTIONS)).isEqualTo(now);
        assertThat(OptionMatching.VLMEVALKIT_2024_01.infer(answer, OPTIONS)).isEqualTo(then);
        assertThat(OptionMatching.LMMS_EVAL.infer(answer, OPTIONS)).isEqualTo(lmms);
    }

    @Test
    void tolerantMatchingUnderstandsFullWidthAndEndMarks() {
        assertThat(OptionMatching.TOLERANT.infer("\uff22\u3002", OPTIONS)).isEqualTo("B");
        assertThat(OptionMatching.TOLERANT.infer("B</s>", OPTIONS)).isEqualTo("B");
    }

    @Test
    void aQuestionIsRightOnlyIfEveryRotationIs() throws Exception {
        write("mmbench_dev_20230712.tsv", """
                index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\timage\tsource\tl2-category\tcomment\tsplit
                1\t"Which ""one""
                is it?"\tnan\tred\tblue\tN/A\tgreen\tA\tcolour\tAAAA\tx\tlogic_reasoning\t\tdev
                1000001\tWhich?\t\tblue\tred\t\t\tB\tcolour\tAAAA\tx\tlogic_reasoning\t\tdev
                2\tWho?\tA hint\tme\tyou\t\t\tB\tperson\tAAAA\tx\tlogic_reasoning\t\tdev
                """);
        write("answers.jsonl", """
                {"question_id": 1, "text": "A"}
                {"question_id": 1000001, "text": "A"}
                {"question_id": 1000001, "text": "B"}
                {"question_id": 2, "text": "who knows"}
                {"question_id": 7, "text": "B"}
                """);
        Score score = score(Benchmarks.MMBENCH, "answers.jsonl");
        assertThat(score.numbers())
                .containsEntry("Overall", 0.5)
                .containsEntry("colour", 1.0)
                .containsEntry("LR", 0.5);
        assertThat(score.warnings())
                .contains(
                        "1 answers were replaced by a later one to the same question (1000001)",
                        "1 answers belong to no question (7)")
                .anyMatch(w -> w.contains("name no option"));

        assertThat(Benchmarks.MMBENCH.questions(folder))
                .extracting(q -> q.text().replace("\n" + Benchmarks.MMBENCH.responseFormat(), ""))
                .containsExactly(
                        "Which \"one\"\nis it?\nA. red\nB. blue",
                        "Which?\nA. blue\nB. red",
                        "A hint\nWho?\nA. me\nB. you");
        Path sheet = folder.resolve("upload.xlsx");
        MmBench.submit(Benchmarks.MMBENCH.files(folder), folder.resolve("answers.jsonl"), sheet);
        MmBenchTable read = MmBenchTable.read(sheet);
        assertThat(read.columns())
                .containsExactly("index", "question", "A", "B", "C", "D", "prediction", "answer", "split");
        assertThat(read.rows().getFirst())
                .isEqualTo(Arrays.asList("1", "Which \"one\"\nis it?", "red", "blue", null, "green", "A", "A", "dev"));
        assertThat(score(Benchmarks.MMBENCH, "upload.xlsx").numbers()).isEqualTo(score.numbers());
        // All rows hold the same image, so it is one file and questions about it share a prefill.
        assertThat(Benchmarks.MMBENCH.questions(folder))
                .extracting(Question::image)
                .containsOnly("1.jpg");
        assertThat(Benchmarks.MMBENCH.images(folder, folder.resolve("images")).resolve("1.jpg"))
                .hasBinaryContent(new byte[3]);
    }

    @Test
    void theTestSplitHasNoAnswers() throws Exception {
        write("mmbench_test_20230712.tsv", "index\tquestion\tA\tB\n1\tWho?\tme\tyou\n");
        write("answers.jsonl", "{\"question_id\": 1, \"text\": \"A\"}\n");
        assertThatThrownBy(() -> score(Benchmarks.MMBENCH, "answers.jsonl"))
                .isInstanceOf(GroundTruthMissingException.class)
                .hasMessageContaining("row 1 has no answer; the test split can be scored by its server only");
    }

    @Test
    void tablesAreReadAsPandasReadsThem() throws Exception {
        Path file = write(
                "mmbench_dev_20230712.tsv",
                "\uFEFFextra\tanswer\tB\tA\tquestion\tindex\tD\r\n"
                        + "x\tB\t\"no\"\"t\"s\tyes\tWhich \u00e9?\t3.0\r\n\r\nx\tA\tb\ta\tWho?\t4\tNone\r\n");
        MmBenchTable table = MmBenchTable.read(file);
        assertThat(table.rows()).hasSize(2);
        assertThat(table.text(table.rows().getFirst(), "B")).isEqualTo("no\"ts");
        assertThat(table.cell(table.rows().getFirst(), "D")).isNull();
        assertThat(table.cell(table.rows().getLast(), "D")).isNull();
        assertThat(table.cell(table.rows().getLast(), "hint")).isNull();
        write(
                "answers.jsonl",
                "{\"question_id\": \"4\", \"text\": \"A\", \"extra\": NaN}\n{\"question_id\": 3, \"text\": \"(B)\"}");
        assertThat(score(Benchmarks.MMBENCH, "answers.jsonl").value()).isEqualTo(1);
        write("long.tsv", "index\tprediction\n1\tA\tB\n");
        assertThatThrownBy(() -> score(Benchmarks.MMBENCH, "long.tsv"))
                .hasMessageContaining("line 2: has 3 fields instead of 2");
        write("other.tsv", "id\tprediction\n1\tA\n");
        assertThatThrownBy(() -> score(Benchmarks.MMBENCH, "other.tsv")).hasMessageContaining("has no column 'index'");
        write("letter.tsv", "index\tprediction\nx\tA\n");
        assertThatThrownBy(() -> score(Benchmarks.MMBENCH, "letter.tsv"))
                .hasMessageContaining("index 'x' is not a whole number");
    }

    @Test
    void aSheetIsScoredByItsOwnRows() throws Exception {
        write("mmbench_dev_20230712.tsv", """
                index\tquestion\tA\tB\tanswer
                1\tWhich?\tred\tblue\tA
                1000001\tWhich?\tblue\tred\tB
                2\tWho?\tme\tyou\tB
                """);
        write("sheet.tsv", "prediction\tindex\nA\t1\nA\t1000001\n");
        Score score = score(Benchmarks.MMBENCH, "sheet.tsv");
        assertThat(score.perQuestion()).containsExactly(entry("1", 0.0));
        write("answers.jsonl", "{\"question_id\": 2, \"text\": \"B\"}");
        assertThat(score(Benchmarks.MMBENCH, "answers.jsonl").perQuestion())
                .containsOnly(entry("1", 0.0), entry("2", 1.0));
    }

    @Test
    void seedKeepsTheKindOfItsIds() throws Exception {
        Path file = write("SEED-Bench.json", """
                {"question_type": {"Scene": 1}, "version": ["a", "b"], "questions": [
                 {"question_id": 1, "question_type_id": 1, "data_type": "image", "answer": "A"},
                 {"question_id": "123456789012345678901", "question_type_id": 1, "data_type": "image", "answer": "B"}]}
                """);
        Path answers = write("answers.jsonl", """
                {"question_id": 123456789012345678901, "text": "B"}
                {"question_id": 1, "text": "B"}
                """);
        assertThat(score(Benchmarks.SEED, "answers.jsonl").perQuestion())
                .containsExactly(entry("1", 0.0), entry("123456789012345678901", 1.0));
        assertThat(Seed.upload(Seed.annotations(file), Seed.results(answers)))
                .isEqualTo("{\"question_id\": 1, \"prediction\": \"B\"}\n"
                        + "{\"question_id\": \"123456789012345678901\", \"prediction\": \"B\"}\n");
    }

    @Test
    void excelRoundTripKeepsText() {
        MmBenchTable table = new MmBenchTable(List.of("index", "text"), List.of(List.of("3", "0.8 \u4e2d\n<x>")));
        Path file = folder.resolve("t.xlsx");
        AtomicFiles.write(file, table.excel(Set.of("index")));
        assertThat(MmBenchTable.read(file)).isEqualTo(table);
    }

    @Test
    void seedComparesLettersAndKindsOfIdsExactly() throws Exception {
        write("SEED-Bench.json", """
                {"question_type": {"Scene": 1, "Action": 10}, "questions": [
                 {"question_id": "1", "question_type_id": 1, "data_type": "image", "answer": "A"},
                 {"question_id": "2", "question_type_id": 1, "data_type": "image", "answer": "B"},
                 {"question_id": "v1", "question_type_id": 10, "data_type": "video", "answer": "C"}]}
                """);
        write("answers.jsonl", """
                {"question_id": 1, "text": "B"}
                {"question_id": 1, "text": "A"}
                {"question_id": "2", "text": "B"}
                {"question_id": "v1", "text": "C."}
                """);
        Score score = score(Benchmarks.SEED, "answers.jsonl");
        assertThat(score.numbers())
                .containsEntry("accuracy", 33.33)
                .containsEntry("image", 50.0)
                .containsEntry("video", 0.0);
        assertThat(score.warnings())
                .anyMatch(w -> w.startsWith("1 questions have no answer") && w.contains("(2)"))
                .anyMatch(w -> w.contains("no answer of type 10 is right"));
        assertThat(score.strictNumbers()).containsEntry("accuracy", 100.0);
        assertThatThrownBy(() -> Seed.submit(
                        Benchmarks.SEED.files(folder),
                        write("one.jsonl", "{\"question_id\": 1, \"text\": \"A\"}\n"),
                        folder))
                .hasMessageContaining("question 2 has no answer");
    }

    @Test
    void aQuestionWithoutAnswerVanishesFromScienceQasImages() throws Exception {
        write("pid_splits.json", "{\"test\": [\"1\", \"2\", \"3\"]}");
        write("problems.json", """
                {"1": {"question": "q", "choices": ["x", "y"], "answer": 0, "hint": "", "image": "image.png"},
                 "2": {"question": "q", "choices": ["x", "y"], "answer": 1, "hint": "h", "image": "image.png"},
                 "3": {"question": "q", "choices": ["x", "y"], "answer": 1, "hint": "", "image": null}}
                """);
        write("answers.jsonl", """
                {"question_id": "1", "prompt": "<image>\\nq", "text": "A"}
                {"question_id": "3", "prompt": "q", "text": "C"}
                """);
        Score score = score(Benchmarks.SCIENCEQA, "answers.jsonl");
        assertThat(score.numbers()).containsEntry("img_accuracy", 100.0).containsEntry("accuracy", 1 / 3.0 * 100);
        assertThat(score.strictNumbers()).containsEntry("img_accuracy", 50.0);
        assertThat(Benchmarks.SCIENCEQA.questions(folder))
                .extracting(q -> q.text().lines().toList().subList(0, 3), q -> q.image())
                .contains(tuple(List.of("Context: h", "q", "A. x"), "2/image.png"));
    }

    private Score score(Benchmark benchmark, String answers) {
        return benchmark.scorer().score(new ScoreInput(benchmark.files(folder), folder.resolve(answers), null, true));
    }

    private Path write(String name, String content) throws Exception {
        return Files.writeString(folder.resolve(name), content);
    }
}
