package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class DataCommandsTest {
    @TempDir
    Path dir;

    @Test
    void nanoWorldIsWrittenThenReusedAndPassesTheCheck() throws IOException {
        Path world = dir.resolve("world");
        Object[] nano = {
            "data",
            "nano",
            world,
            "--seed",
            3,
            "--image-size",
            32,
            "--stage1",
            5,
            "--stage2",
            20,
            "--validation",
            2,
            "--eval",
            3,
            "--threads",
            1,
            "--json"
        };
        CliRun first = CliRun.of(nano);
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(first.json().path("reused").asBoolean()).isFalse();
        assertThat(first.json().path("counts").path("stage1").asInt()).isEqualTo(5);
        assertThat(first.json().path("counts").path("stage2").asInt()).isEqualTo(20);
        assertThat(CliRun.of(nano).json().path("reused").asBoolean()).isTrue();

        CliRun check = CliRun.of(
                "data", "validate", world.resolve("stage2.json"), "--images", world.resolve("images"), "--json");
        assertThat(check.code()).as(check.out()).isZero();
        JsonNode counts = check.json();
        assertThat(counts.path("records").asInt()).isEqualTo(20);
        assertThat(counts.path("text_only").asInt() + counts.path("pictures").asInt())
                .isEqualTo(20);
        assertThat(counts.path("problems").isEmpty()).isTrue();

        String image = CliRun.of("data", "validate", world.resolve("stage1.json"), "--images", dir)
                .out();
        assertThat(image).contains("record 0").contains("does not exist in").contains("5  records with bad picture");
    }

    @Test
    void everyBadRecordIsListed() throws IOException {
        Path data = dir.resolve("data.json");
        Files.writeString(dir.resolve("cut.jpg"), "no picture");
        Files.writeString(data, """
                [{"id": "fine", "conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
                 {"id": "out", "image": "../x.jpg", "conversations": [{"from": "human", "value": "<image>\\na"}, {"from": "gpt", "value": "b"}]},
                 {"id": "cut", "image": "cut.jpg", "conversations": [{"from": "human", "value": "<image>\\na"}, {"from": "gpt", "value": "b"}]}]
                """);
        CliRun listed = CliRun.of("data", "validate", data, "--images", dir);
        assertThat(listed.code()).isEqualTo(1);
        assertThat(listed.out())
                .contains("data.json, record 1 (id out): image path '../x.jpg' leaves the image folder")
                .contains("data.json, record 2 (id cut): ")
                .containsPattern("3 +records\\R")
                .containsPattern("1 +malformed records\\R")
                .containsPattern("1 +records with bad picture\\R");
        CliRun failed = CliRun.of("data", "validate", data, "--images", dir, "--policy", "fail");
        assertThat(failed.code()).isEqualTo(1);
        assertThat(failed.out()).isEmpty();
        assertThat(failed.err()).contains("llava: " + data + ", record 1 (id out)");
    }

    @Test
    void defaultsReproduceTheVocabularyThatShips() {
        assertThat(CliRun.of("data", "vocabulary", dir).code()).isZero();
        Path shipped = Path.of("../models/nano-tokenizer");
        for (String file : new String[] {"tokenizer.model", "tokenizer_config.json"}) {
            assertThat(dir.resolve(file)).hasSameBinaryContentAs(shipped.resolve(file));
        }
    }

    @Test
    void vocabularyHasTheSizeAskedForAndCoversEveryPhrase() {
        CliRun run = CliRun.of("data", "vocabulary", dir, "--size", 600, "--lines", 50);
        assertThat(run.code()).as(run.err()).isZero();
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(dir);
        assertThat(tokenizer.vocabSize()).isEqualTo(600);
        assertThat(tokenizer.encode("a cat").length).isLessThanOrEqualTo(3);
    }

    @Test
    void impossibleNumbersAreUsageErrors() {
        assertThat(CliRun.of("data", "nano", dir, "--image-size", 7).code()).isEqualTo(2);
        assertThat(CliRun.of("data", "nano", dir, "--stage1", -1).err()).contains("negative");
        assertThat(CliRun.of("data", "nano", dir, "--threads", 0).err()).contains("--threads must be 1 or more");
        assertThat(CliRun.of("data", "vocabulary", dir, "--size", 10).err()).contains("--size must be 260 or more");
        assertThat(CliRun.of("data").err()).contains("a verb of data is missing");
        assertThat(CliRun.of("data", "nanno").err()).contains("did you mean").contains("nano");
    }
}
