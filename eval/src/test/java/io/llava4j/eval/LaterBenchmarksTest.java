package io.llava4j.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.llava4j.DataException;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The benchmarks of later years. {@code expected.json} holds what lmms-eval's own functions (commit 75571cfe; the numbers before
 * April 2026: version 0.3.5, MMMU's open questions: version 0.3.4) gave for tables and answers made up for this test.
 */
class LaterBenchmarksTest {
    @TempDir
    Path folder;

    static Stream<Benchmark> benchmarks() {
        return Stream.of("mmstar", "ai2d", "chartqa", "realworldqa", "ocrbench", "mmmu")
                .map(Benchmarks::named);
    }

    @ParameterizedTest
    @MethodSource("benchmarks")
    void everyNumberAndQuestionIsThatOfTheOfficialCode(Benchmark benchmark) {
        Path folder = resource("/later/" + benchmark.name());
        Score score = score(benchmark, folder, folder.resolve("answers.jsonl"));
        JsonNode expected = Goldens.json(folder.resolve("expected.json"));
        expected.path("numbers")
                .properties()
                .forEach(number -> assertThat(score.numbers())
                        .containsEntry(number.getKey(), number.getValue().doubleValue()));
        assertThat(score.perQuestion()).hasSize(60);
        expected.path("per")
                .properties()
                .forEach(question -> assertThat(score.perQuestion())
                        .containsEntry(question.getKey(), question.getValue().doubleValue()));
        if (benchmark == Benchmarks.MMMU) {
            assertThat(score.warnings())
                    .anyMatch(warning ->
                            warning.endsWith("with MMMU's own seed 42 Overall is " + expected.path("seed42")));
        }
    }

    @ParameterizedTest
    @MethodSource("benchmarks")
    void aFolderIsRecognisedAndItsImagesAreWritten(Benchmark benchmark) throws Exception {
        Path data = resource("/later/" + benchmark.name());
        List<Question> questions = benchmark.questions(data);
        assertThat(questions)
                .hasSize(60)
                .allSatisfy(question -> assertThat(question.images()).isNotEmpty());
        Path images = benchmark.images(data, folder);
        for (Question question : questions) {
            for (String image : question.images()) {
                assertThat(Files.readAllBytes(images.resolve(image))).startsWith((byte) 0x89, (byte) 'P');
            }
        }
        assertThat(benchmark.groundTruth(data).answersTo(questions.getFirst(), ""))
                .hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            mmstar      | Q0?\\nAnswer with the option's letter from the given choices directly | 1024
            chartqa     | Q0?\\nAnswer the question with a single word.                         | 16
            ocrbench    | Q0?                                                                  | 128
            """)
    void promptsAreThoseOfLmmsEval(String name, String text, int maxNewTokens) {
        Benchmark benchmark = Benchmarks.named(name);
        assertThat(benchmark.questions(resource("/later/" + name)).getFirst().text())
                .isEqualTo(text.replace("\\n", "\n"));
        assertThat(benchmark.decoding().maxNewTokens()).isEqualTo(maxNewTokens);
    }

    @Test
    void parquetHoldsImagesListsInTextAndOtherSplits() throws Exception {
        Path data = resource("/parquet-tables/mmmu");
        List<Question> questions = Benchmarks.MMMU.questions(data);
        assertThat(questions)
                .extracting(
                        question -> question.id().value(),
                        question -> question.images().size(),
                        Question::text)
                .containsExactly(
                        tuple(
                                "validation_Accounting_1",
                                2,
                                "Which of <image 1>?\nA. $6\nB. it's <image 2>\nC. C\n\n\n"
                                        + "Answer with the option's letter from the given choices directly."),
                        tuple(
                                "validation_Art_2",
                                1,
                                "What is in <image 1>?\n\nAnswer the question using a single word or phrase."));
        assertThat(questions.get(1).images())
                .isEqualTo(questions.getFirst().images().subList(1, 2));
        Path images = Benchmarks.MMMU.images(data, folder);
        try (Stream<Path> written = Files.list(images)) {
            assertThat(written).hasSize(2);
        }
    }

    @Test
    void thePartsOfAParquetFileBelongTogether() throws Exception {
        Path data = resource("/parquet-tables/chartqa");
        assertThat(Benchmarks.CHARTQA.questions(data))
                .extracting(question -> question.text().lines().findFirst().orElse(""))
                .containsExactly("How many?", "Which?");
        Path first = data.resolve("test-00000-of-00002-e2cd0b7a0f9eb20d.parquet");
        Files.copy(first, folder.resolve(first.getFileName()));
        assertThatThrownBy(() -> Benchmarks.CHARTQA.questions(folder))
                .isInstanceOf(DataException.class)
                .hasMessageEndingWith("its part test-00001-of-00002… is missing; put all parts beside it");
        byte[] damaged = Files.readAllBytes(first);
        Files.write(folder.resolve("test-00001-of-00002.parquet"), Arrays.copyOf(damaged, 300));
        assertThatThrownBy(() -> Benchmarks.CHARTQA.questions(folder))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("test-00001-of-00002.parquet cannot be read as Parquet near row 0");
    }

    /** The same question from VLMEvalKit's table and from the original. */
    @Test
    void tablesOfVlmEvalKitAreAskedAsTheOriginals() throws Exception {
        String image = image();
        tsv(
                "MMStar.tsv",
                "index question A B C D answer category l2-category image",
                "3|Which?|red|blue|two|none|B|math|geometry|" + image,
                "5|Why?|a|b|c|d|A|math|geometry|3");
        assertThat(Benchmarks.MMSTAR.questions(folder))
                .satisfiesExactly(
                        question -> assertThat(question.text())
                                .startsWith("Which?\nOptions: A: red, B: blue, C: two, D: none\nAnswer with"),
                        question -> assertThat(question.images())
                                .isEqualTo(Benchmarks.MMSTAR
                                        .questions(folder)
                                        .getFirst()
                                        .images()));
        tsv("AI2D_TEST.tsv", "index question A B C answer image", "1|Which?|red|None|blue|C|" + image);
        assertThat(Benchmarks.AI2D.questions(folder).getFirst().text()).startsWith("Which?\nA. red\nB. blue\nAnswer");
        tsv(
                "RealWorldQA.tsv",
                "index question A B answer image",
                "1|Which?|red|blue|B|" + image,
                "2|How many?|||3|" + image);
        assertThat(Benchmarks.REALWORLDQA.questions(folder))
                .extracting(Question::text)
                .containsExactly(
                        "Which?\nA. red\nB. blue\nPlease answer directly with only the letter of the correct option and nothing else.",
                        "How many?");
        tsv(
                "OCRBench.tsv",
                "index question answer category image",
                "1|What?|['A B', \"c\"]|Handwritten Mathematical Expression Recognition|" + image);
        answers("{\"index\": 1, \"prediction\": \"ab is AB\"}");
        assertThat(score(Benchmarks.OCRBENCH, folder, folder.resolve("answers.jsonl"))
                        .numbers())
                .containsEntry("Final Score", 1.0);
        tsv(
                "MMMU_DEV_VAL.tsv",
                "index id question A B answer split image",
                "1|validation_Art_1|See <image 1> and <image 2>|red|blue|A|validation|\"['%s', '%s']\""
                        .formatted(image, image),
                "2|dev_Art_1|See <image 1>|red|blue|A|dev|" + image);
        assertThat(Benchmarks.MMMU.questions(folder)).satisfiesExactly(question -> {
            assertThat(question.images()).hasSize(2);
            assertThat(question.text()).startsWith("See <image 1> and <image 2>\nA. red\nB. blue\n\nAnswer with");
        });
    }

    @Test
    void missingAnswersRepeatedIdsAndWrongTablesAreReported() throws Exception {
        Files.writeString(
                folder.resolve("ocrbench.jsonl"),
                "{\"question\": \"Q\", \"answer\": [\"a\"], \"question_type\": \"Doc-oriented VQA\", \"dataset\": \"x\", \"image\": \"a.png\"}\n"
                        .repeat(2));
        answers("{\"question_id\": 1, \"text\": \"a\"}", "{\"question_id\": \"9\", \"text\": \"a\"}");
        Score score = score(Benchmarks.OCRBENCH, folder, folder.resolve("answers.jsonl"));
        assertThat(score.perQuestion()).isEqualTo(Map.of("0", 0.0, "1", 1.0));
        assertThat(score.warnings())
                .containsExactly(
                        "1 questions have no answer and count as wrong (0)",
                        "1 answers belong to no question (9)",
                        "the table has 2 questions, but ocrbench_accuracy is the right ones divided by 1000, as in the official code");
        Files.writeString(
                folder.resolve("ocrbench.jsonl"),
                "{\"question\": \"Q\", \"answer\": [\"a\"], \"question_type\": \"Poems\"}\n");
        assertThatThrownBy(() -> score(Benchmarks.OCRBENCH, folder, folder.resolve("answers.jsonl")))
                .hasMessageContaining("ocrbench.jsonl row 0: 'Poems' is no kind of question of OCRBench");
        Files.writeString(
                folder.resolve("ai2d.jsonl"),
                "{\"index\": 7, \"question\": \"Q\", \"options\": [\"a\", \"b\"], \"answer\": \"2\", \"image\": \"a.png\"}\n"
                        .repeat(2));
        assertThatThrownBy(() -> Benchmarks.AI2D.questions(folder))
                .hasMessageContaining("row 1: has the id 7 of an earlier row");
        assertThatThrownBy(() -> score(Benchmarks.AI2D, folder, folder.resolve("answers.jsonl")))
                .hasMessageContaining("the answer '2' is neither the place nor the letter of one of the 2 options");
    }

    @Test
    void anImageThatCannotBeReadIsReportedAndLeavesTheOthers() throws Exception {
        tsv(
                "ChartQA_TEST.tsv",
                "index question answer split image",
                "0|Q?|1|test_human|" + image(),
                "1|Q?|1|test_human|" + "?".repeat(4) + "====",
                "2|Q?|1|test_human|");
        List<DataException> problems = new ArrayList<>();
        Path images = Benchmarks.CHARTQA.images(folder, folder.resolve("work"), problems::add);
        assertThat(problems)
                .singleElement()
                .satisfies(problem ->
                        assertThat(problem).hasMessage("ChartQA_TEST.tsv row 2, column image: holds no image"));
        assertThat(Benchmarks.CHARTQA.questions(folder).getLast().images())
                .singleElement()
                .satisfies(name -> assertThat(images.resolve(name)).doesNotExist());
    }

    private static String image() throws Exception {
        String row = Files.readAllLines(resource("/later/ai2d/ai2d.jsonl")).getFirst();
        return JsonMapper.shared().readTree(row).path("image").stringValue();
    }

    private void tsv(String name, String columns, String... rows) throws Exception {
        StringBuilder table = new StringBuilder(columns.replace(' ', '\t')).append('\n');
        for (String row : rows) {
            table.append(row.replace('|', '\t')).append('\n');
        }
        Files.writeString(folder.resolve(name), table);
    }

    private void answers(String... lines) throws Exception {
        Files.write(folder.resolve("answers.jsonl"), List.of(lines));
    }

    private static Score score(Benchmark benchmark, Path folder, Path answers) {
        return benchmark.scorer().score(new ScoreInput(benchmark.files(folder), answers, null, true));
    }

    private static Path resource(String name) {
        try {
            return Path.of(Objects.requireNonNull(LaterBenchmarksTest.class.getResource(name))
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
