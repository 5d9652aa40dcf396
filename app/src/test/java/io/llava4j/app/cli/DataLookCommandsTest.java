package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** data validate, show, stats and convert on a small set with something of everything. */
class DataLookCommandsTest {
    private static final String TOKENIZER = "../models/nano-tokenizer";

    @TempDir
    Path dir;

    private Path data;
    private Path images;

    @BeforeEach
    void write() throws IOException {
        images = dir.resolve("images");
        Path coco = Files.createDirectories(images.resolve("coco"));
        Path evaluation = Files.createDirectory(dir.resolve("evaluation"));
        for (int i = 0; i < 4; i++) {
            ImageIO.write(image(i, 200, 120), "png", coco.resolve(i + ".png").toFile());
        }
        // The second image again, smaller and compressed with loss; and another one under the name of the third.
        ImageIO.write(image(1, 150, 90), "jpg", evaluation.resolve("other.jpg").toFile());
        ImageIO.write(image(9, 200, 120), "png", evaluation.resolve("2.png").toFile());
        data = Files.writeString(dir.resolve("data.jsonl"), """
                {"id": "a", "image": "coco/0.png", "conversations": [{"from": "human", "value": "<image>\\nPlease provide a short description for this region: [0.1, 0.2, 0.5, 0.8]."}, {"from": "gpt", "value": "a cat"}]}
                {"id": "leak", "image": "coco/1.png", "conversations": [{"from": "human", "value": "<image>\\nwhat is it?"}, {"from": "gpt", "value": "a dog"}]}
                {"id": "name", "image": "coco/2.png", "conversations": [{"from": "human", "value": "<image>\\nwhat is it?"}, {"from": "gpt", "value": "a dog"}]}
                {"id": "again", "image": "coco/2.png", "conversations": [{"from": "human", "value": "<image>\\nwhat is it?"}, {"from": "gpt", "value": "a dog"}]}
                {"id": "marker", "conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello</s>"}]}
                {"id": "long", "image": "coco/3.png", "conversations": [{"from": "human", "value": "<image>\\nwhat?"}, {"from": "gpt", "value": "a dog"}, {"from": "human", "value": "and a long list?"}, {"from": "gpt", "value": "%s"}]}
                {"id": "broken", "conversations": []}
                """.formatted(
                        "a cat and a dog and ".repeat(30).strip()));
    }

    @Test
    void everyKindIsFoundOnceAndFixed() throws IOException {
        Path fixed = dir.resolve("fixed.json");
        Path page = dir.resolve("report.html");
        CliRun run = CliRun.of(
                "data",
                "validate",
                data,
                "--images",
                images,
                "--tokenizer",
                TOKENIZER,
                "--max-length",
                150,
                "--image-size",
                28,
                "--against",
                dir.resolve("evaluation"),
                "--fix",
                fixed,
                "--html",
                page,
                "--json");
        assertThat(run.err()).as(run.out()).doesNotContain("llava:");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.json().path("problems"))
                .extracting(problem -> problem.path("id").asString() + " "
                        + problem.path("kind").asString())
                .containsExactlyInAnyOrder(
                        "leak leak", "again duplicate", "marker template_marker", "long too_long", "broken malformed");
        assertThat(run.json().path("records_written").asInt()).isEqualTo(3);
        assertThat(run.json().path("sources").path("coco").asInt()).isEqualTo(5);

        CliRun again = CliRun.of(
                "data",
                "validate",
                fixed,
                "--images",
                images,
                "--tokenizer",
                TOKENIZER,
                "--max-length",
                150,
                "--image-size",
                28,
                "--against",
                dir.resolve("evaluation"),
                "--json");
        assertThat(again.code()).as(again.out()).isZero();
        assertThat(again.json().path("problems").isEmpty()).isTrue();
        assertThat(Files.readAllLines(dir.resolve("fixed.json.left-out.jsonl")))
                .hasSize(5)
                .anyMatch(line -> line.contains("\"long\"") && line.contains("shortened by 1 questions"))
                .anyMatch(line -> line.contains("\"leak\"") && line.contains("left out"));
        assertThat(Files.readString(page))
                .contains("Check of data.jsonl", "looks like the evaluation image", "badge error")
                .doesNotContain("<script", "http://", "https://");
    }

    @Test
    void namesAloneAreAWarning() throws IOException {
        Path questions = Files.writeString(
                dir.resolve("questions.jsonl"),
                "{\"question_id\": 1, \"image\": \"COCO_val2014_0.png\", \"text\": \"?\"}\n");
        CliRun run = CliRun.of("data", "validate", data, "--images", images, "--against", questions);
        assertThat(run.out())
                .contains("warning: " + data + ", record 0 (id a): image 'coco/0.png' has the name of the evaluation"
                        + " image questions.jsonl: COCO_val2014_0.png")
                .contains("The length of sequences was not checked");
        assertThat(CliRun.of("data", "validate", data, "--images", images, "--expect", "coco=7")
                        .out())
                .containsPattern("coco +5 +7 +-2");
    }

    @Test
    void supervisedTokensAreShownInTextImagesAndPage() throws IOException {
        CliRun text = CliRun.of(
                "data", "show", data, "--images", images, "--tokenizer", TOKENIZER, "--image-size", 28, "--id", "a");
        assertThat(text.code()).as(text.err()).isZero();
        assertThat(text.out())
                .contains("record 0 (a) ·", "<image, 4 tokens>", "ASSISTANT:⟦ a cat</s>⟧")
                .contains("□ 3, 6 to 14, 22: a cat");
        assertThat(CliRun.of("data", "show", data, "--images", images, "--tokenizer", TOKENIZER, "--color", "always")
                        .out())
                .contains("\u001B[38;2;", "▀");
        Path page = dir.resolve("gallery.html");
        CliRun files = CliRun.of(
                "data",
                "show",
                data,
                "--images",
                images,
                "--tokenizer",
                TOKENIZER,
                "--max-length",
                150,
                "--image-size",
                28,
                "--index",
                "0,5",
                "--html",
                page,
                "--png",
                dir.resolve("png"));
        assertThat(files.code()).as(files.err()).isZero();
        assertThat(Files.readString(page))
                .contains("<span class=\"supervised\"> a</span>", "data:image/png;base64,", "class=\"truncated\"");
        BufferedImage sample = ImageIO.read(dir.resolve("png/record-000000.png").toFile());
        assertThat(sample.getWidth()).isGreaterThan(1_000);
        assertThat(CliRun.of("data", "show", data, "--images", images, "--tokenizer", TOKENIZER, "--index", 6)
                        .err())
                .contains("record 6 is malformed: it has no conversations");
        assertThat(CliRun.of("data", "show", data, "--images", images).err()).contains("no tokenizer is known");
    }

    @Test
    void statsCountRecordsAndImages() throws IOException {
        Path page = dir.resolve("stats.html");
        CliRun run = CliRun.of(
                "data", "stats", data, "--images", images, "--tokenizer", TOKENIZER, "--html", page, "--json");
        assertThat(run.code()).as(run.err()).isZero();
        JsonNode stats = run.json();
        assertThat(stats.path("records").asInt()).isEqualTo(6);
        assertThat(stats.path("skipped").asInt()).isEqualTo(1);
        assertThat(stats.path("sources").path("coco").path("questions").asInt()).isEqualTo(6);
        assertThat(stats.path("sources").path("coco").path("images").asInt()).isEqualTo(4);
        assertThat(stats.path("top_answers").path("a dog").asInt()).isEqualTo(4);
        assertThat(stats.path("supervised_share").asDouble()).isBetween(0.01, 0.2);
        assertThat(Files.readString(page)).contains("<svg", "Longer edge of an image");

        CliRun recipe = CliRun.of(
                "data",
                "stats",
                data,
                "--images",
                images,
                "--recipe",
                "../recipes/llava-1.5-7b-finetune.yaml",
                "--tokenizer",
                TOKENIZER,
                "--model",
                "../models/llava-1.5-7b",
                "--json");
        assertThat(recipe.json().path("steps").asInt()).as(recipe.err()).isEqualTo(1);
        // Six sequences of about 650 places: six operations a parameter of 6.6 billion, and the tower's two.
        assertThat(recipe.json().path("operations").asDouble()).isBetween(1e14, 2.5e14);
    }

    @Test
    void everyVerbReadsShards() {
        Path shards = dir.resolve("shards");
        CliRun converted = CliRun.of("data", "convert", data, "--images", images, "-o", shards);
        assertThat(converted.code()).as(converted.err()).isZero();
        assertThat(converted.out()).contains("6 records, 1 left out");
        CliRun check = CliRun.of("data", "validate", shards, "--json");
        assertThat(check.json().path("images").asInt()).as(check.err()).isEqualTo(4);
        assertThat(check.json().path("records_with_bad_image").asInt(-1)).isZero();
    }

    /** Validate reads every record of every set once, stats those of an epoch. */
    @Test
    void aRecipeOfSeveralDataSets() throws IOException {
        Path recipe = Files.writeString(
                dir.resolve("mixed.yaml"), """
                stage: finetune
                model:
                  base: %s
                data:
                  sets:
                    - {name: one, json: %s, images: %s, repeat: 2.5}
                    - {name: two, json: %s, images: %s, limit: 2}
                """.formatted(dir.resolve("none"), data, images, data, images));
        CliRun check = CliRun.of("data", "validate", recipe, "--tokenizer", TOKENIZER, "--json");
        assertThat(check.json().path("records").asInt()).as(check.err()).isEqualTo(14);
        assertThat(check.json().path("data_sets").path("two").asInt()).isEqualTo(6);
        assertThat(check.json().path("images").asInt()).isEqualTo(8);

        CliRun stats = CliRun.of(
                "data", "stats", recipe, "--tokenizer", TOKENIZER, "--model", "../models/llava-1.5-7b", "--json");
        assertThat(stats.json().path("records").asInt()).as(stats.err()).isEqualTo(17);
        JsonNode one = stats.json().path("data_sets").path("one");
        assertThat(one.path("records").asInt()).isEqualTo(6);
        assertThat(one.path("samples_per_epoch").asInt()).isEqualTo(15);

        CliRun shown = CliRun.of("data", "show", recipe, "--tokenizer", TOKENIZER);
        assertThat(shown.err()).contains("the recipe has several data sets; name the file of one");
        assertThat(CliRun.of("data", "validate", recipe, "--tokenizer", TOKENIZER, "--images", images)
                        .err())
                .contains("each data set of the recipe has its own");
        assertThat(CliRun.of("data", "validate", recipe, "--tokenizer", TOKENIZER, "--fix", dir.resolve("f.json"))
                        .err())
                .contains("--fix writes one data set");
    }

    private static BufferedImage image(int seed, int width, int height) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.scale(width / 200.0, height / 120.0);
        Random random = new Random(seed);
        for (int i = 0; i < 60; i++) {
            graphics.setColor(new Color(random.nextInt(1 << 24)));
            graphics.fillOval(
                    random.nextInt(200) - 20,
                    random.nextInt(120) - 20,
                    20 + random.nextInt(40),
                    20 + random.nextInt(40));
        }
        graphics.dispose();
        return image;
    }
}
