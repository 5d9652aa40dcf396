package io.llava4j.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.nano.raw.NanoWorld;
import io.llava4j.nano.raw.NanoWorldOptions;
import io.llava4j.nano.text.QuestionShares;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Sprites;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.format.DataFiles;
import io.llava4j.train.data.mixture.Manifest;
import io.llava4j.train.data.mixture.MixtureBuilder;
import io.llava4j.train.data.mixture.MixtureRecipe;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Compares a mixture built by Spark with the same one built on one machine, from raw files of the nano world. */
class SparkMixtureTest {
    private static final Path RECIPES = Path.of("../recipes/data");
    private static final Path TOKENIZER = Path.of("../models/nano-tokenizer");

    @TempDir
    private static Path dir;

    private static JavaSparkContext spark;

    @BeforeAll
    static void start() {
        NanoWorld.write(
                dir.resolve("nano"),
                new NanoWorldOptions(3, 32, 5, 250, 0, 0, 4, QuestionShares.DEFAULT, false),
                new Sprites(Drawings.load()),
                2,
                (done, total) -> {});
        spark = new JavaSparkContext(new SparkConf()
                .setMaster("local[2]")
                .setAppName("test")
                .set("spark.ui.enabled", "false")
                .set("spark.driver.host", "127.0.0.1")
                .set("spark.driver.bindAddress", "127.0.0.1")
                .set("spark.local.dir", dir.resolve("spark").toString()));
    }

    @AfterAll
    static void stop() {
        spark.close();
    }

    private static MixtureRecipe recipe(Path recipe, String... settings) {
        Map<String, String> overrides = new LinkedHashMap<>();
        overrides.put("raw", "'" + dir.resolve("nano/raw") + "'");
        overrides.put("images", "'" + dir.resolve("nano/images") + "'");
        overrides.put("tokenizer", "'" + TOKENIZER + "'");
        for (String setting : settings) {
            String[] parts = setting.split("=", 2);
            overrides.put(parts[0], parts[1]);
        }
        return MixtureRecipe.load(recipe, overrides);
    }

    /** The nano mixture with further sources of which something is left out. */
    private static Path troubled() throws IOException {
        Path raw = Files.createDirectories(dir.resolve("nano/raw/troubled"));
        StringBuilder chats = new StringBuilder("[");
        for (int i = 0; i < 60; i++) {
            // Two of three repeat an earlier text; ids repeat, too.
            chats.append(i == 0 ? "" : ",")
                    .append("""
                            {"id": "c%d", "conversations": [{"from": "human", "value": "What is %d and %d?"},
                            {"from": "%s", "value": "It is a number of some size."}]}""".formatted(i % 50, i / 3 * 2, i % 3 == 0 ? 1 : 2, i == 7 ? "system" : "gpt"));
        }
        Files.writeString(raw.resolve("chats.json"), chats.append("]"));
        Files.writeString(raw.resolve("questions.json"), """
                {"questions": [{"question_id": 1, "image_id": 5, "question": "What is it?"},
                {"question_id": 2, "image_id": 6, "question": ""}, 17,
                {"question_id": 3, "image_id": 5, "question": "And that?"},
                {"question_id": 3, "image_id": 5, "question": "And that again?"},
                {"question_id": 4, "image_id": 7, "question": "Is this </s> the end?"}]}""");
        Files.writeString(raw.resolve("annotations.json"), """
                {"annotations": [{"question_id": 1, "answers": [{"answer": "a cat"}]},
                {"question_id": 3, "answers": [{"answer": "a dog"}]}, {"question_id": 9, "answers": [{"answer": "?"}]},
                {"question_id": 4, "answers": [{"answer": "yes"}]}, {"question_id": 5, "answers": []}]}""");
        Files.writeString(raw.resolve("regions.json"), """
                [{"id": 1, "regions": [{"phrase": "out", "x": 900, "y": 1, "width": 5, "height": 5},
                {"phrase": "in", "x": 1, "y": 1, "width": 5, "height": 5}, {"phrase": "", "x": 1}]}, {"id": 2, "regions": []}]""");
        Files.writeString(
                raw.resolve("images.json"),
                "[{\"image_id\": 1, \"width\": 64, \"height\": 48, \"url\": \"u/VG/1.jpg\"}]");
        Path recipe = dir.resolve("troubled.yaml");
        Files.writeString(recipe, """
                extends: %s
                name: troubled
                sources:
                  chats: {kind: sharegpt, files: {chats: troubled/chats.json}}
                  asked:
                    kind: vqa
                    files: {questions: troubled/questions.json, annotations: troubled/annotations.json}
                    rules: {image-presence: false}
                  boxes:
                    kind: visual-genome
                    files: {regions: troubled/regions.json, images: troubled/images.json}
                    rules: {image-presence: false}
                """.formatted(RECIPES.resolve("nano-mix.yaml").toAbsolutePath()));
        return recipe;
    }

    private static Manifest onOneMachine(MixtureRecipe recipe, Path out) {
        return MixtureBuilder.build(
                        recipe,
                        out,
                        new MixtureBuilder.Options(MixtureBuilder.Format.JSONL, 2, (done, total) -> {}, () -> false))
                .orElseThrow()
                .manifest();
    }

    private static Manifest bySpark(MixtureRecipe recipe, Path out, int shards, int partitions, List<String> log) {
        return SparkMixture.build(spark, recipe, out, new SparkMixture.Options(shards, partitions), log::add);
    }

    private static void assertSame(Manifest one, Path oneFolder, Manifest other, Path otherFolder) throws IOException {
        ByteArrayOutputStream shards = new ByteArrayOutputStream();
        for (Path shard : DataFiles.filesOf(otherFolder.resolve(other.file()))) {
            Files.copy(shard, shards);
        }
        assertThat(shards.toString()).isEqualTo(Files.readString(oneFolder.resolve(one.file())));
        assertThat(otherFolder.resolve("left-out.jsonl")).hasSameBinaryContentAs(oneFolder.resolve("left-out.jsonl"));
        assertThat(Files.readString(otherFolder.resolve("README.md")).replace(other.file(), one.file()))
                .isEqualTo(Files.readString(oneFolder.resolve("README.md")));
        assertThat(other).usingRecursiveComparison().ignoringFields("file").isEqualTo(one);
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "7, 3"})
    void sameBytesAsOnOneMachineForAnyPartitions(int partitions, int shards, @TempDir Path out) throws IOException {
        MixtureRecipe recipe = recipe(RECIPES.resolve("nano-mix.yaml"), "seed=5", "vg.sample=9", "sharegpt.sample=7");
        Manifest one = onOneMachine(recipe, out.resolve("one"));
        Manifest other = bySpark(recipe, out.resolve("other"), shards, partitions, new ArrayList<>());
        assertSame(one, out.resolve("one"), other, out.resolve("other"));
        assertThat(one.sources().getLast().leftOut()).containsKey("sample");
        assertThat(LlavaFiles.read(out.resolve("other").resolve(other.file()), Policy.FAIL)
                        .records())
                .hasSize(one.records());
    }

    @Test
    void rejectionsAreTheSame(@TempDir Path out) throws IOException {
        MixtureRecipe recipe = recipe(troubled(), "shuffle=false");
        Manifest one = onOneMachine(recipe, out.resolve("one"));
        Manifest other = bySpark(recipe, out.resolve("other"), 5, 3, new ArrayList<>());
        assertSame(one, out.resolve("one"), other, out.resolve("other"));
        Map<String, Map<String, Integer>> leftOut = new LinkedHashMap<>();
        one.sources().forEach(source -> leftOut.put(source.name(), source.leftOut()));
        assertThat(leftOut.get("chats")).containsEntry("deduplicate", 19).containsEntry("strict-alternation", 1);
        assertThat(leftOut.get("asked")).containsEntry("bad-record", 5).containsEntry("no-template-markers", 1);
        assertThat(leftOut.get("boxes")).containsEntry("bad-record", 3);
    }

    @Test
    void runAfterAKillWritesOnlyMissingShards(@TempDir Path out) throws IOException {
        MixtureRecipe recipe = recipe(RECIPES.resolve("nano-mix.yaml"));
        List<String> log = new ArrayList<>();
        Manifest first = bySpark(recipe, out, 4, 3, log);
        List<Path> shards = DataFiles.filesOf(out.resolve(first.file()));
        byte[] second = Files.readAllBytes(shards.get(1));
        FileTime old = FileTime.fromMillis(1_000_000);
        for (Path shard : shards) {
            Files.setLastModifiedTime(shard, old);
        }
        // The state after a killed run: no manifest, a missing shard, the temporary file of an attempt.
        Files.delete(out.resolve("manifest.json"));
        Files.delete(shards.get(1));
        Path attempt = Files.writeString(out.resolve("..nano-mix-00001.attempt-77.partial"), "{");
        assertThat(bySpark(recipe, out, 4, 2, log)).isEqualTo(first);
        assertThat(log).contains("wrote 1 of 4 shards; the others existed");
        assertThat(shards.get(1)).hasBinaryContent(second);
        assertThat(Files.getLastModifiedTime(shards.get(0))).isEqualTo(old);
        assertThat(attempt).doesNotExist();
        log.clear();
        assertThat(bySpark(recipe, out, 4, 3, log)).isEqualTo(first);
        assertThat(log).containsExactly("the mixture exists already, built from the same files");
        // Shards of another mixture are removed.
        bySpark(recipe(RECIPES.resolve("nano-mix.yaml"), "seed=99"), out, 2, 3, log);
        assertThat(log).contains("wrote 2 of 2 shards; the others existed");
        assertThat(shards.get(3)).doesNotExist();
    }

    @Test
    void badRecordThatEndsTheBuildIsNamed(@TempDir Path out) throws IOException {
        assertThatThrownBy(() -> bySpark(recipe(troubled(), "bad-records=fail"), out, 2, 2, new ArrayList<>()))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("troubled/")
                .hasMessageContaining("record");
        assertThat(out.resolve("manifest.json")).doesNotExist();
    }
}
