package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
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
        assertThat(first.json().path("counts").path("lcs").asInt()).isEqualTo(5);
        Path captions = world.resolve("nano-lcs/nano-lcs.json");
        Path mixture = world.resolve("nano-mix/nano-mix.json");
        assertThat(first.json().path("files").path(captions.toString()).asInt()).isEqualTo(5);
        int records = first.json().path("files").path(mixture.toString()).asInt();
        assertThat(records).isBetween(20, 28);
        assertThat(world.resolve("nano-mix/README.md")).content().contains("nano-mix", "drawn by the nano world");
        CliRun again = CliRun.of(nano);
        assertThat(again.json().path("reused").asBoolean()).isTrue();
        assertThat(again.json().path("files")).isEqualTo(first.json().path("files"));

        CliRun check = CliRun.of("data", "validate", mixture, "--images", world.resolve("images"), "--json");
        assertThat(check.code()).as(check.out()).isZero();
        JsonNode counts = check.json();
        assertThat(counts.path("records").asInt()).isEqualTo(records);
        assertThat(counts.path("problems").isEmpty()).isTrue();

        String image = CliRun.of("data", "validate", captions, "--images", dir).out();
        assertThat(image).contains("record 0").contains("does not exist in").contains("5  records with bad image");
    }

    @Test
    void rawNanoWorldIsBuiltByItsRecipe() {
        Path world = dir.resolve("raw-world");
        CliRun nano = CliRun.of(
                "data",
                "nano",
                "--raw",
                world,
                "--image-size",
                32,
                "--stage1",
                3,
                "--stage2",
                20,
                "--eval",
                1,
                "--validation",
                0);
        assertThat(nano.code()).as(nano.err()).isZero();
        assertThat(world.resolve("raw/refcoco/refcocog/refs(umd).p")).isNotEmptyFile();
        assertThat(world.resolve("nano-mix")).doesNotExist();
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        Logger rules = (Logger) LoggerFactory.getLogger("io.llava4j.train.data.mixture.RuleAliases");
        rules.addAppender(log);
        CliRun built = CliRun.of(
                "data",
                "build",
                "../recipes/data/nano-mix.yaml",
                "--set",
                "fewest-turns=2",
                "--raw",
                world.resolve("raw"),
                "--images",
                world.resolve("images"),
                "--tokenizer",
                "../models/nano-tokenizer",
                "-o",
                dir.resolve("mix"),
                "--json");
        assertThat(built.code()).as(built.err()).isZero();
        rules.detachAppender(log);
        assertThat(log.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactly("--set: rule 'fewest-turns' is now called 'min-turns'; write min-turns: 2");
        assertThat(built.json().path("sources").size()).isEqualTo(10);
        assertThat(built.json().path("sources").valueStream())
                .allMatch(source -> source.path("records").asInt() > 0);
        assertThat(CliRun.of("data", "build", "--rules").out())
                .startsWith("docs/reference/data.md#building-rules")
                .containsPattern("  max-pairs +9 +longer conversations are split");
    }

    @Test
    void everyBadRecordIsListed() throws IOException {
        Path data = dir.resolve("data.json");
        Files.writeString(dir.resolve("cut.jpg"), "no image");
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
                .containsPattern("1 +records with bad image\\R");
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
    void vocabularyHasTheRequestedSizeAndCoversEveryPhrase() {
        CliRun run = CliRun.of("data", "vocabulary", dir, "--size", 600, "--lines", 50);
        assertThat(run.code()).as(run.err()).isZero();
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(dir);
        assertThat(tokenizer.vocabSize()).isEqualTo(600);
        assertThat(tokenizer.encode("a cat").length).isLessThanOrEqualTo(3);
    }

    @Test
    void aVocabularyIsExtendedByTheChineseOfTheNanoWorld() {
        Path shipped = Path.of("../models/nano-tokenizer");
        CliRun run = CliRun.of("data", "vocabulary", dir, "--extend", shipped, "--lines", 20_000);
        assertThat(run.code()).as(run.err()).isZero();
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(dir);
        assertThat(tokenizer.vocabSize()).isEqualTo(2000);
        assertThat(tokenizer.model().pieces()).contains("老鼠", "自行车", "请直接回答选项字母");
        // It is nano-plus's vocabulary.
        assertThat(dir.resolve("tokenizer.model"))
                .hasSameBinaryContentAs(Path.of("../models/nano-plus/tokenizer.model"));
        assertThat(CliRun.of("data", "vocabulary", dir, "--extend", shipped, "--size", 1400)
                        .err())
                .contains("--size must be 1401 or more");
    }

    @Test
    void invalidNumbersAreUsageErrors() {
        assertThat(CliRun.of("data", "nano", dir, "--image-size", 7).code()).isEqualTo(2);
        assertThat(CliRun.of("data", "nano", dir, "--stage1", -1).err()).contains("negative");
        assertThat(CliRun.of("data", "nano", dir, "--threads", 0).err()).contains("--threads must be 1 or more");
        assertThat(CliRun.of("data", "vocabulary", dir, "--size", 10).err()).contains("--size must be 260 or more");
        assertThat(CliRun.of("data").err()).contains("a verb is missing, for example data build");
        assertThat(CliRun.of("data", "nanno").err()).contains("did you mean").contains("nano");
    }
}
