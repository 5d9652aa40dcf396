package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.train.data.format.TarWriter;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Batches of data files that hold their images themselves: Parquet, tar shards and folders. */
class BatchInputsTest {
    private static final Path PARQUET = Path.of("../train/src/test/resources/parquet");
    private static final String CAPTION = "<image>\nProvide a brief description of the given image.";

    @TempDir
    private static Path shared;

    private static Path model;

    @TempDir
    private Path dir;

    @BeforeAll
    static void write() {
        model = TinyModel.write(shared);
    }

    /** Answers a file in one run, and in three shards that are joined; both must have the same bytes. */
    private List<JsonNode> answers(Path input, int failed) throws IOException {
        Path whole = dir.resolve("whole.jsonl");
        Path parts = dir.resolve("parts.jsonl");
        CliRun run = batch(input, whole, "--parallel", 1, "--json");
        assertThat(run.json().path("failed").asInt()).as(run.err()).isEqualTo(failed);
        assertThat(run.code()).isEqualTo(failed == 0 ? 0 : 1);
        for (int shard = 1; shard <= 3; shard++) {
            batch(input, parts, "--shard", shard + "/3");
        }
        assertThat(batch(input, parts, "--dry-run", "--json")
                        .json()
                        .path("open")
                        .asInt(-1))
                .isZero();
        batch(input, parts);
        assertThat(parts).hasSameBinaryContentAs(whole);
        JsonMapper json = JsonMapper.builder().build();
        return Files.readAllLines(whole).stream().map(json::readTree).toList();
    }

    private static CliRun batch(Path input, Path out, Object... more) {
        List<Object> arguments =
                new ArrayList<>(List.of("batch", input, "-m", model, "-o", out, "--max-new-tokens", 5));
        arguments.addAll(List.of(more));
        return CliRun.of(arguments.toArray());
    }

    private static byte[] png(int rgb) throws IOException {
        BufferedImage image = new BufferedImage(20, 12, BufferedImage.TYPE_INT_RGB);
        image.setRGB(3, 3, rgb);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    private static String error(JsonNode line) {
        return line.at("/error/message").asString("");
    }

    @Test
    void parquetOfQuestionsWithImages() throws IOException {
        List<JsonNode> lines = answers(PARQUET.resolve("vqa-bytes.parquet"), 0);
        assertThat(lines).isNotEmpty().allSatisfy(line -> {
            assertThat(line.has("answer")).isTrue();
            assertThat(line.path("image_tokens").asInt()).isEqualTo(4);
        });
        assertThat(lines.getFirst().path("id").asString()).isEqualTo("7");
        assertThat(lines.getFirst().path("prompt").asString()).isEqualTo("<image>\nWhat colour?");
        assertThat(lines.getFirst().path("reference").asString()).isEqualTo("red");
    }

    @Test
    void parquetOfConversations() throws IOException {
        List<JsonNode> lines = answers(PARQUET.resolve("llava.parquet"), 1);
        assertThat(lines).extracting(line -> line.path("id").asString()).containsExactly("a", "b", "c", "d", "e");
        assertThat(lines.get(1).path("reference").asString()).isEqualTo("Bläu");
        assertThat(lines.get(2).path("image_tokens").asInt(-1)).isZero();
        assertThat(error(lines.get(4))).contains("record 4 (id e): it has an image but no question contains <image>");
    }

    @Test
    void tarShards() throws IOException {
        Path folder = Files.createDirectories(dir.resolve("shards"));
        try (TarWriter out = TarWriter.create(folder.resolve("a.tar"))) {
            out.add("one.json", "{\"id\": \"one\", \"question\": \"what is it?\"}".getBytes(StandardCharsets.UTF_8));
            out.add("one.png", png(0xff0000));
            out.add("two.txt", "a cat".getBytes(StandardCharsets.UTF_8));
            out.add("two.png", png(0x00ff00));
        }
        try (TarWriter out = TarWriter.create(folder.resolve("b.tar"))) {
            out.add("three.png", png(0x0000ff));
            out.add("four.json", "{\"id\": ".getBytes(StandardCharsets.UTF_8));
            out.add("five.txt", "a dog".getBytes(StandardCharsets.UTF_8));
            out.add("five.png", "no image".getBytes(StandardCharsets.UTF_8));
        }
        List<JsonNode> lines = answers(folder, 2);
        assertThat(lines).hasSize(5);
        assertThat(lines.get(0).path("prompt").asString()).isEqualTo("<image>\nwhat is it?");
        assertThat(lines.get(0).path("image_tokens").asInt()).isEqualTo(4);
        assertThat(lines.get(1).path("prompt").asString()).isEqualTo(CAPTION);
        assertThat(lines.get(1).path("reference").asString()).isEqualTo("a cat");
        assertThat(lines.get(2).path("prompt").asString()).isEqualTo(CAPTION);
        assertThat(lines.get(2).has("answer")).isTrue();
        assertThat(error(lines.get(3))).contains("sample 'four' of b.tar: its .json is malformed");
        assertThat(error(lines.get(4))).contains("five.png");
    }

    @Test
    void folderOfImages() throws IOException {
        Path folder = dir.resolve("photos");
        Files.createDirectories(folder.resolve("sub"));
        Files.write(folder.resolve("a.png"), png(0xff0000));
        Files.writeString(folder.resolve("a.txt"), "a red dot");
        Files.write(folder.resolve("b.png"), png(0x00ff00));
        Files.writeString(folder.resolve("broken.png"), "no image");
        Files.write(folder.resolve("sub/c.png"), png(0x0000ff));
        List<JsonNode> lines = answers(folder, 1);
        assertThat(lines).hasSize(4);
        assertThat(lines.get(0).path("reference").asString()).isEqualTo("a red dot");
        assertThat(lines.get(1).path("prompt").asString()).isEqualTo(CAPTION);
        assertThat(lines.get(1).has("reference")).isFalse();
        assertThat(error(lines.get(2))).contains("broken.png");
        assertThat(lines.get(3).has("answer")).isTrue();
    }
}
