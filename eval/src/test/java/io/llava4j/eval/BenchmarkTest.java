package io.llava4j.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.eval.format.JsonFiles;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import io.llava4j.eval.reference.Checks;
import io.llava4j.eval.reference.Reference;
import io.llava4j.eval.score.BenchmarkFiles;
import io.llava4j.eval.score.FileRole;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class BenchmarkTest {
    static Stream<Benchmark> published() {
        return Benchmarks.published().stream();
    }

    @ParameterizedTest
    @MethodSource("published")
    void everyNumberAndFileOfTheOfficialCodeIsReproduced(Benchmark benchmark) {
        Path folder = Goldens.path("evalgold/" + benchmark.name());
        List<String> differences = new ArrayList<>();
        int[] count = {0};
        Reference reference = Reference.of(benchmark).orElseThrow();
        reference.compare(
                benchmark.files(folder),
                folder,
                JsonFiles.tree(folder.resolve("expected.json")),
                new Checks((name, difference) -> {
                    count[0]++;
                    if (!difference.isEmpty()) {
                        differences.add(name + ": " + difference);
                    }
                }));
        assertThat(differences).isEmpty();
        assertThat(count[0]).isGreaterThanOrEqualTo(5);
    }

    @ParameterizedTest
    @MethodSource("published")
    void aFolderIsRecognisedByItsFilesAlone(Benchmark benchmark) {
        Path folder = Goldens.path("evalgold/" + benchmark.name());
        assertThat(Benchmarks.published().stream()
                        .filter(b -> b.files(folder).recognised())
                        .map(Benchmark::name))
                .containsExactly(benchmark.name());
    }

    @ParameterizedTest
    @CsvSource({
        "vqav2, answers.jsonl, /official_on_upload_expected/accuracy_n2/overall",
        "vqav2, upload_raw.json, /official_on_upload_raw/accuracy_n2/overall",
        "gqa, answers.jsonl, /official/accuracy",
        "gqa, testdev_balanced_predictions.json, /official/accuracy",
        "vizwiz, answers.jsonl, /official_on_upload_expected/accuracy_n2/overall",
        "vizwiz, upload_expected.json, /official_on_upload_expected/accuracy_n2/overall",
        "scienceqa, answers.jsonl, /img_acc",
        "pope, answers.jsonl, /answers/mean_f1_over_categories",
        "mme, answers.jsonl, /perception_total",
        "mme, converted, /perception_total",
        "mmbench, answers.jsonl, /vlmevalkit_head_exact_matching/report/Overall",
        "mmbench_cn, answers.jsonl, /vlmevalkit_head_exact_matching/report/Overall",
        "llava_bench, reviews, /real_reviews_mean_of_3_overall",
        "llava_bench, reviews_expected.jsonl, /judge/summary/categories/all/relative",
        "mm_vet, grade_real_3runs.json, /cases/real_3runs/decimals_1/cap-score/total"
    })
    void scoresWhatTheOfficialPipelinesLeave(String name, String answers, String place) {
        Path folder = Goldens.path("evalgold/" + name);
        JsonNode expected = Goldens.json(folder.resolve("expected.json")).at(place);
        Score score = score(name, folder, answers, null);
        assertThat(score.value()).isEqualTo(expected.doubleValue());
        assertThat(score.perQuestion()).isNotEmpty();
    }

    @Test
    void seedAndTextVqaArePercentAsPrinted() {
        Path seed = Goldens.path("evalgold/seed");
        Score score = score("seed", seed, "answers.jsonl", null);
        assertThat(score.numbers())
                .containsEntry("accuracy", 51.67)
                .containsEntry("image", 55.56)
                .containsEntry("video", 40.0)
                .containsEntry("Spatial Relation", 52.17);
        assertThat(score("seed", seed, "upload_expected_answers.jsonl", null).value())
                .isEqualTo(51.67);
        assertThat(score("textvqa", Goldens.path("evalgold/textvqa"), "answers.jsonl", null)
                        .value())
                .isCloseTo(62.95, within(1e-9));
    }

    @Test
    void judgedBenchmarksTakeAnswersWithReplies() {
        Path folder = Goldens.path("evalgold/llava_bench");
        assertThat(score("llava_bench", folder, "answers.jsonl", "judge_replies.jsonl")
                        .value())
                .isEqualTo(83.9);
        assertThatThrownBy(() -> score("llava_bench", folder, "answers.jsonl", null))
                .hasMessageContaining("--replies");
        Path mmbench = Goldens.path("evalgold/mmbench");
        assertThat(score("mmbench", mmbench, "answers.jsonl", "judge_replies.jsonl")
                        .value())
                .isEqualTo(0.6842105263157895);
        assertThatThrownBy(() -> score("mm_vet", Goldens.path("evalgold/mm_vet"), "answers.jsonl", null))
                .hasMessageContaining("--replies");
    }

    private static Score score(String name, Path folder, String answers, @Nullable String replies) {
        Benchmark benchmark = Benchmarks.named(name);
        Score score = benchmark
                .scorer()
                .score(new ScoreInput(
                        benchmark.files(folder),
                        folder.resolve(answers),
                        replies == null ? null : folder.resolve(replies),
                        true));
        if (score.strict() != null) {
            assertThat(score.strictNumbers()).containsKey(score.headline());
        }
        return score;
    }

    @ParameterizedTest
    @ValueSource(strings = {"vqav2", "gqa", "vizwiz", "seed", "pope", "mm_vet", "scienceqa"})
    void officialFilesGiveTheQuestionsOfLlavasFiles(String name) {
        Path folder = Goldens.path("evalgold/" + name);
        Benchmark benchmark = Benchmarks.named(name);
        BenchmarkFiles files = benchmark.files(folder);
        Path official = Map.of(
                        "vqav2", folder.resolve("v2_OpenEnded_mscoco_val2014_questions.json"),
                        "scienceqa", files.require(FileRole.QUESTIONS))
                .getOrDefault(name, folder.resolve("there is none"));
        List<Question> built = benchmark
                .questionSource()
                .questions(
                        new BenchmarkFiles(files.patterns(), null, withoutQuestions(files, official)),
                        benchmark::render);
        if (name.equals("scienceqa")) {
            assertThat(built).hasSize(223);
            assertThat(benchmark.recordedPrompt(built.get(1)))
                    .startsWith("<image>\nContext: This passage describes the fleece type trait in sheep:\n")
                    .endsWith("\nAnswer with the option's letter from the given choices directly.");
            return;
        }
        List<Question> llava = QuestionFile.read(files.require(FileRole.QUESTIONS)).stream()
                .filter(question -> !name.equals("gqa") || built.stream().anyMatch(b -> b.id().equals(question.id())))
                .toList();
        assertThat(new HashSet<>(built)).containsAll(llava);
        assertThat(benchmark.questions(folder))
                .containsExactlyElementsOf(QuestionFile.read(files.require(FileRole.QUESTIONS)));
    }

    private static Map<FileRole, Path> withoutQuestions(BenchmarkFiles files, Path official) {
        return Files.exists(official)
                ? Map.of(FileRole.QUESTIONS, official)
                : Map.of(FileRole.ANNOTATIONS, files.require(FileRole.ANNOTATIONS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"mmbench", "mmbench_cn"})
    void mmBenchAsksWhatLlavaRecorded(String name) {
        Path folder = Goldens.path("evalgold/" + name);
        Benchmark benchmark = Benchmarks.named(name);
        Map<String, String> asked = new HashMap<>();
        benchmark.questions(folder).forEach(q -> asked.put(q.id().value(), benchmark.recordedPrompt(q)));
        int[] compared = {0};
        JsonFiles.lines(folder.resolve("answers.jsonl"), JsonFiles.BrokenLines.REFUSE, line -> {
            assertThat(asked.get(line.id("question_id").value())).isEqualTo(line.text("prompt"));
            compared[0]++;
        });
        assertThat(compared[0]).isGreaterThan(200);
        assertThat(benchmark.questions(folder).getFirst().text()).endsWith("\n" + benchmark.responseFormat());
    }

    @Test
    void mmeReplacesItsOwnRequestByTheShortAnswerLine() {
        Path folder = Goldens.path("evalgold/mme");
        assertThat(Benchmarks.MME.questions(folder))
                .hasSize(196)
                .allSatisfy(q -> assertThat(q.text())
                        .doesNotContain("Please answer yes or no")
                        .endsWith("\nAnswer the question using a single word or phrase."));
    }

    @Test
    void rendersTheResponseFormat() {
        assertThat(Benchmarks.POPE.render("Is there a dog in the image?"))
                .isEqualTo("Is there a dog in the image?\nAnswer the question using a single word or phrase.");
        assertThat(Benchmarks.MM_VET.render("What is x?")).isEqualTo("What is x?");
        assertThat(Benchmarks.VIZWIZ.render("What is this?"))
                .isEqualTo(
                        "What is this?\nWhen the provided information is insufficient, respond with 'Unanswerable'.\n"
                                + "Answer the question using a single word or phrase.");
        assertThat(Benchmarks.VQAV2.decoding().maxNewTokens()).isEqualTo(128);
        assertThat(Benchmarks.MMBENCH.decoding().maxNewTokens()).isEqualTo(1024);
        assertThatThrownBy(() -> Benchmarks.named("popo"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("'popo'; there are [vqav2, gqa, vizwiz");
        assertThat(Benchmarks.published()).hasSize(12);
    }

    @Test
    void publishedRowsKnowTheirBenchmarks() {
        Map<String, Published> models = new HashMap<>();
        Published.all().forEach(p -> models.put(p.model(), p));
        Published own = Objects.requireNonNull(models.get("LLaVA-1.5 13B"));
        assertThat(Benchmarks.published()).allSatisfy(b -> assertThat(own.on(b)).isNotNull());
        assertThat(own.on(Benchmarks.GQA)).isEqualTo(new Published.Result(63.3, true));
        assertThat(own.on(Benchmarks.MM_VET)).isEqualTo(new Published.Result(36.1, false));
        assertThat(Objects.requireNonNull(Objects.requireNonNull(models.get("BLIP-2 (Vicuna-13B)"))
                                .on(Benchmarks.POPE))
                        .value())
                .isCloseTo(85.3, within(0.05));
        assertThat(Objects.requireNonNull(models.get("Qwen-VL-Chat")).on(Benchmarks.MM_VET))
                .isNull();
        List<String> names =
                Benchmarks.published().stream().map(Benchmark::name).toList();
        Published.all()
                .forEach(p ->
                        p.results().keySet().forEach(key -> assertThat(names).contains(key.split("/")[0])));
    }
}
