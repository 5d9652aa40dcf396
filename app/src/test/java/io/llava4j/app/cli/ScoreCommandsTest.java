package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ScoreCommandsTest {
    @Test
    void popeEqualsTheReference() {
        Path folder = CliRun.reference("evalgold/pope");
        CliRun run =
                CliRun.of("score", "pope", "--folder", folder, "--answers", folder.resolve("answers.jsonl"), "--json");
        assertThat(run.code()).as(run.err()).isZero();
        JsonNode expected = read(folder).path("answers");
        JsonNode numbers = run.json().path("numbers");
        assertThat(run.json().path("value").asDouble())
                .isCloseTo(expected.path("mean_f1_over_categories").asDouble(), within(1e-12));
        for (String split : new String[] {"random", "popular", "adversarial"}) {
            for (String number : new String[] {"f1", "accuracy", "precision", "recall", "yes_ratio"}) {
                assertThat(numbers.path(split + "/" + number).asDouble(-1))
                        .isCloseTo(
                                expected.path("categories")
                                        .path(split)
                                        .path(number)
                                        .asDouble(),
                                within(1e-12));
            }
        }
    }

    @Test
    void vqav2EqualsTheReferenceFromBothKindsOfQuestionFile() {
        Path folder = CliRun.reference("evalgold/vqav2");
        for (String questions :
                new String[] {"v2_OpenEnded_mscoco_val2014_questions.json", "llava_vqav2_mscoco_val2014.jsonl"}) {
            CliRun run = CliRun.of(
                    "score",
                    "vqav2",
                    "--questions",
                    folder.resolve(questions),
                    "--annotations",
                    folder.resolve("v2_mscoco_val2014_annotations.json"),
                    "--answers",
                    folder.resolve("answers.jsonl"),
                    "--json");
            assertThat(run.code()).as(run.err()).isZero();
            JsonNode expected = read(folder).path("official_on_upload_expected").path("accuracy_n2");
            JsonNode numbers = run.json().path("numbers");
            assertThat(run.json().path("value").asDouble())
                    .isEqualTo(expected.path("overall").asDouble());
            assertThat(expected.path("perAnswerType").properties()).isNotEmpty();
            expected.path("perAnswerType")
                    .properties()
                    .forEach(type -> assertThat(
                                    numbers.path("answer_type/" + type.getKey()).asDouble(-1))
                            .isEqualTo(type.getValue().asDouble()));
            assertThat(run.err()).contains("warning: 1 answers belong to no question (");
        }
    }

    private static JsonNode read(Path folder) {
        return JsonMapper.builder().build().readTree(folder.resolve("expected.json"));
    }

    @Test
    void strictIsPrintedBesideTheOfficialNumberAndDifferencesAreTold() {
        Path folder = CliRun.reference("evalgold/pope");
        CliRun run = CliRun.of(
                "score", "pope", "--folder", folder, "--answers", folder.resolve("answers_shuffled.jsonl"), "--strict");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("official", "strict").containsPattern("0\\.6021 +0\\.6750 +f1");
        assertThat(run.err()).contains("f1 is 0.6021 by the official rule, 0.6750 by the strict one");
    }

    @Test
    void submissionsAndQuestionsAreWrittenOnDemand(@TempDir Path out) throws Exception {
        Path folder = CliRun.reference("evalgold/seed");
        Path upload = out.resolve("seed.jsonl");
        CliRun run = CliRun.of(
                "score",
                "seed",
                "--annotations",
                folder.resolve("SEED-Bench.json"),
                "--answers",
                folder.resolve("answers.jsonl"),
                "--submission",
                upload,
                "--json",
                "--per-question");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.json().path("value").asDouble()).isEqualTo(51.67);
        assertThat(run.json().path("per_question").size()).isEqualTo(240);
        assertThat(Files.readString(upload))
                .isEqualTo(Files.readString(folder.resolve("upload_expected_answers.jsonl")));
    }

    @Test
    void aSubmissionWithoutGroundTruthIsSuccess(@TempDir Path out) throws Exception {
        Path table = Files.writeString(
                out.resolve("mmbench_test_20230712.tsv"), "index\tquestion\tA\tB\n1\tWho?\tme\tyou\n");
        Path answers = Files.writeString(out.resolve("a.jsonl"), "{\"question_id\": 1, \"text\": \"A\"}\n");
        Path upload = out.resolve("upload.xlsx");
        CliRun run = CliRun.of(
                "score", "mmbench", "--annotations", table, "--answers", answers, "--submission", upload, "--json");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err()).contains("MMBench is not scored", "row 1 has no answer", "submit " + upload);
        assertThat(run.json().path("submission").asString()).isEqualTo(upload.toString());
        assertThat(upload).isNotEmptyFile();
        assertThat(CliRun.of("score", "mmbench", "--annotations", table, "--answers", answers)
                        .code())
                .isEqualTo(1);

        Files.writeString(
                out.resolve("llava_vqav2_mscoco_test2015.jsonl"),
                "{\"question_id\": 1, \"image\": \"0.png\", \"text\": \"What?\", \"category\": \"default\"}\n");
        Path json = out.resolve("upload.json");
        Files.writeString(answers, "{\"question_id\": 1, \"text\": \"Red\"}\n");
        CliRun vqa = CliRun.of("score", "vqav2", "--folder", out, "--answers", answers, "--submission", json);
        assertThat(vqa.code()).as(vqa.err()).isZero();
        assertThat(vqa.err()).contains("VQAv2 is not scored", "submit " + json);
        assertThat(json).content().isEqualTo("[{\"question_id\": 1, \"answer\": \"red\"}]");
    }

    @Test
    void whatIsNoNumberIsNullInJson() {
        Path folder = CliRun.reference("evalgold/llava_bench");
        CliRun run = CliRun.of("score", "llava_bench", "--answers", folder.resolve("reviews_nan.jsonl"), "--json");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.json().path("value").isNull()).isTrue();
        assertThat(run.json().path("numbers").path("all/model_x10").asDouble()).isEqualTo(55.0);
    }

    @Test
    void missingFilesAndBenchmarksAreNamed() {
        CliRun missing = CliRun.of("score", "pope", "--folder", "nowhere", "--answers", "nothing.jsonl");
        assertThat(missing.code()).isEqualTo(1);
        assertThat(missing.err()).contains("nowhere");
        assertThat(missing.err().lines()).hasSize(1);
        CliRun nameless = CliRun.of("score", "gqa", "--answers", "nothing.jsonl");
        assertThat(nameless.code()).isEqualTo(1);
        assertThat(nameless.err()).contains("the annotations are missing; name the file, or a folder that holds it as");
        assertThat(CliRun.of("score").err()).contains("BENCHMARK");
        CliRun unknown = CliRun.of("score", "popo", "--answers", "nothing.jsonl");
        assertThat(unknown.code()).isEqualTo(2);
        assertThat(unknown.err()).contains("no benchmark is called 'popo'", "mm_vet");
        CliRun role = CliRun.of("score", "gqa", "--answers", "nothing.jsonl", "--file", "choises=x");
        assertThat(role.code()).isEqualTo(2);
        assertThat(role.err()).contains("no role is called 'choises'", "reference-answers");
        CliRun nothing = CliRun.of("score", "pope", "--answers", "nothing.jsonl", "--submission", "x");
        assertThat(nothing.code()).isEqualTo(2);
        assertThat(nothing.err()).contains("there is no submission file for POPE");
    }
}
