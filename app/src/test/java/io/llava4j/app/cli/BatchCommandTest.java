package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.io.OutputLock;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Batches with a tiny model: equal bytes however they are run, and one line for each record that fails. */
class BatchCommandTest {
    @TempDir
    static Path shared;

    private static Path model;
    private static Path images;

    @TempDir
    Path dir;

    @BeforeAll
    static void write() throws IOException {
        model = TinyModel.write(shared.resolve("tiny"));
        images = Files.createDirectories(shared.resolve("images"));
        for (int i = 0; i < 3; i++) {
            BufferedImage image = new BufferedImage(20 + i, 10, BufferedImage.TYPE_INT_RGB);
            image.setRGB(i, i, 0xff0000 >> 4 * i);
            ImageIO.write(image, "png", images.resolve(i + ".png").toFile());
        }
        Files.writeString(images.resolve("broken.png"), "no image");
    }

    private Path questions(int count) throws IOException {
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            lines.append("{\"question_id\": %d, \"image\": \"%d.png\", \"text\": \"what is in the image? %d\"}\n"
                    .formatted(100 + i, i % 3, i));
        }
        return Files.writeString(dir.resolve("questions.jsonl"), lines);
    }

    private CliRun batch(Path input, Path out, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of("batch", input, "-m", model, "-o", out));
        Collections.addAll(arguments, more);
        return CliRun.of(arguments.toArray());
    }

    private CliRun records(Path input, Path out, Object... more) {
        List<Object> arguments = new ArrayList<>(List.of("--images", images, "--max-new-tokens", 6));
        Collections.addAll(arguments, more);
        return batch(input, out, arguments.toArray());
    }

    private static List<JsonNode> lines(Path file) throws IOException {
        JsonMapper json = JsonMapper.builder().build();
        return Files.readAllLines(file).stream().map(json::readTree).toList();
    }

    @Test
    void twoRunsOnOneOutputAtOnceAreRefused() throws IOException {
        Path out = dir.resolve("answers.jsonl");
        try (OutputLock other = OutputLock.of(out)) {
            CliRun refused = records(questions(2), out);
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.err()).contains("another run is writing " + out);
            assertThat(dir.resolve("answers.jsonl.manifest.json")).doesNotExist();
            assertThat(records(questions(2), out, "--shard", "1/2").code()).isZero();
        }
        assertThat(records(questions(2), out).code()).isZero();
        assertThat(dir.resolve(".answers.jsonl.lock")).doesNotExist();
    }

    @Test
    void sameBytesResumedAndInShards() throws IOException {
        Path input = questions(20);
        Path whole = dir.resolve("whole.jsonl");
        assertThat(records(input, whole, "--temperature", 0.9, "--parallel", 1).code())
                .isZero();
        assertThat(lines(whole))
                .hasSize(20)
                .extracting(line -> line.path("id").asString())
                .startsWith("100", "101");

        // What a kill leaves: the manifest, some lines in another order, a torn one.
        Path killed = dir.resolve("killed.jsonl");
        List<String> answers = Files.readAllLines(whole);
        Files.copy(dir.resolve("whole.jsonl.manifest.json"), dir.resolve("killed.jsonl.manifest.json"));
        Path part = dir.resolve("killed.jsonl.part");
        Files.writeString(part, "7\t" + answers.get(7) + "\n3\t" + answers.get(3) + "\n11\t{\"ind");
        CliRun resumed = records(input, killed, "--temperature", 0.9, "--json");
        assertThat(resumed.json().path("earlier").asInt()).isEqualTo(2);
        assertThat(killed).hasSameBinaryContentAs(whole);
        assertThat(part).doesNotExist();

        Path out = dir.resolve("parts.jsonl");
        assertThat(records(input, out, "--temperature", 0.9, "--shards", 3, "--shard", 2)
                        .code())
                .isZero();
        assertThat(records(input, out, "--temperature", 0.9, "--shard", "1/3").code())
                .isZero();
        CliRun dry = records(input, out, "--temperature", 0.9, "--dry-run", "--json");
        assertThat(dry.json().path("earlier").asInt()).isEqualTo(14);
        assertThat(dry.json().path("open").asInt()).isEqualTo(6);
        assertThat(out).doesNotExist();
        assertThat(records(input, out, "--temperature", 0.9, "--shard", "3/3").code())
                .isZero();
        CliRun joined = records(input, out, "--temperature", 0.9, "--json");
        assertThat(joined.json().path("earlier").asInt()).isEqualTo(20);
        assertThat(out).hasSameBinaryContentAs(whole);

        CliRun other = records(input, whole, "--temperature", 0.5);
        assertThat(other.code()).isEqualTo(1);
        assertThat(other.err()).contains("whole.jsonl belongs to a run with another model");
    }

    @Test
    void failedRecordsAreCountedAndTriedAgain() throws IOException {
        Path input = Files.writeString(dir.resolve("input.jsonl"), """
                {"id": "a", "image": "0.png", "question": "what is in the image?", "answer": "a cat"}
                {"id": "b", "image": "broken.png", "question": "what is in the image?"}
                {"id": "c", "image": "0.png", "question": "wh
                {"id": "d", "question": "what is it?"}
                {"id": "e", "image": "missing.png", "prompt": "what?"}
                {"id": "f", "image": "1.png"}
                """);
        Path out = dir.resolve("out.jsonl");
        CliRun dry = records(input, out, "--dry-run", "--json");
        assertThat(dry.code()).isZero();
        assertThat(dry.json().path("unusable").asInt()).isEqualTo(2); // the broken image shows when it is decoded
        CliRun run = records(input, out, "--json");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.json().path("failed").asInt()).isEqualTo(3);
        List<JsonNode> lines = lines(out);
        assertThat(lines).hasSize(6);
        assertThat(lines.get(0).path("reference").asString()).isEqualTo("a cat");
        assertThat(lines.get(1).path("error").path("message").asString()).contains("record 1 (id b)", "broken.png");
        assertThat(lines.get(2).path("error").path("message").asString())
                .contains("input.jsonl", "line 3 is malformed");
        assertThat(lines.get(3).path("image_tokens").asInt(-1)).isZero();
        assertThat(lines.get(4).path("error").path("message").asString()).contains("missing.png");
        assertThat(lines.get(5).path("prompt").asString())
                .isEqualTo("<image>\nProvide a brief description of the given image.");
        assertThat(records(input, out, "--max-failures", 3).code()).isZero();

        Files.copy(images.resolve("2.png"), images.resolve("missing.png"));
        try {
            CliRun again = records(input, out, "--retry-failed", "--json");
            assertThat(again.json().path("earlier").asInt()).isEqualTo(3);
            assertThat(again.json().path("failed").asInt()).isEqualTo(2);
            assertThat(lines(out).get(0)).isEqualTo(lines.get(0));
            assertThat(lines(out).get(4).has("answer")).isTrue();
        } finally {
            Files.delete(images.resolve("missing.png"));
        }
    }

    @Test
    void tooManyFailuresStopTheRun() throws IOException {
        Path input = Files.writeString(
                dir.resolve("input.jsonl"),
                "{\"image\": \"broken.png\", \"question\": \"what?\"}\n".repeat(30)
                        + "{\"question\": \"what is it?\"}\n".repeat(30));
        Path out = dir.resolve("out.jsonl");
        CliRun run = records(input, out, "--max-failures", 2, "--parallel", 1);
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.err()).contains("stopped after more failures");
        assertThat(out).doesNotExist();
        assertThat(records(input, out, "--max-failures", 30).code()).isZero();
        assertThat(lines(out)).hasSize(60);
    }

    @Test
    void openAiRequests() throws IOException {
        String image = "data:image/png;base64,"
                + Base64.getEncoder().encodeToString(Files.readAllBytes(images.resolve("1.png")));
        String chat =
                "{\"custom_id\": \"%s\", \"method\": \"POST\", \"url\": \"/v1/chat/completions\", \"body\": {\"model\": \"tiny\","
                        + " \"max_tokens\": 5, \"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\", \"text\": \"what?\"},"
                        + " {\"type\": \"image_url\", \"image_url\": {\"url\": \"%s\"}}]}]}}\n";
        Path input = Files.writeString(
                dir.resolve("requests.jsonl"),
                chat.formatted("one", image)
                        + chat.formatted("one", image)
                        + "{\"custom_id\": \"three\", \"body\n"
                        + chat.formatted("four", "https://example.com/a.png")
                        + chat.formatted("five", "data:image/png;base64,AAAA")
                        + "{\"custom_id\": \"six\", \"url\": \"/v1/embeddings\", \"body\": {}}\n"
                        + "{\"custom_id\": \"seven\", \"url\": \"/v1/completions\", \"body\": {\"prompt\": \"what\", \"temperature\": 1,"
                        + " \"max_tokens\": 4}}\n"
                        + "{\"custom_id\": \"eight\", \"url\": \"/v1/chat/completions\", \"body\": {\"model\": \"gpt\", \"messages\": []}}\n");
        Path out = dir.resolve("out.jsonl");
        CliRun run = batch(input, out, "--json", "--alias", "tiny");
        assertThat(run.code()).isEqualTo(1);
        assertThat(run.json().path("failed").asInt()).isEqualTo(6);
        List<JsonNode> lines = lines(out);
        assertThat(lines).hasSize(8);
        JsonNode first = lines.get(0);
        assertThat(first.path("custom_id").asString()).isEqualTo("one");
        assertThat(first.path("error").isNull()).isTrue();
        assertThat(first.at("/response/status_code").asInt()).isEqualTo(200);
        assertThat(first.at("/response/body/object").asString()).isEqualTo("chat.completion");
        assertThat(first.at("/response/body/usage/completion_tokens").asInt()).isPositive();
        assertThat(lines.get(1).at("/error/code").asString()).isEqualTo("duplicate_custom_id");
        assertThat(lines.get(1).at("/error/message").asString()).contains("line 2", "of line 1");
        assertThat(lines.get(2).at("/error/code").asString()).isEqualTo("invalid_json_line");
        assertThat(lines.get(2).at("/error/message").asString()).contains("requests.jsonl line 3");
        assertThat(lines.get(3).at("/response/status_code").asInt()).isEqualTo(400);
        assertThat(lines.get(3).at("/response/body/error/message").asString()).contains("addresses are not fetched");
        assertThat(lines.get(4).at("/response/status_code").asInt()).isEqualTo(400);
        assertThat(lines.get(5).at("/error/code").asString()).isEqualTo("invalid_url");
        assertThat(lines.get(6).at("/response/body/object").asString()).isEqualTo("text_completion");
        assertThat(lines.get(7).at("/response/status_code").asInt()).isEqualTo(404);

        Path again = dir.resolve("again.jsonl");
        batch(input, again, "--alias", "tiny", "--parallel", 1);
        assertThat(Files.readString(again, StandardCharsets.UTF_8)).isEqualTo(Files.readString(out));

        assertThat(batch(input, out, "--temperature", 1).err()).contains("--temperature is of no use here");
        assertThat(records(questions(1), out, "--alias", "x").err()).contains("--alias is for requests");
        assertThat(records(questions(1), out, "--shards", 2).code()).isEqualTo(2);
    }

    @Test
    void hugeImageIsOneFailure() throws IOException {
        // A header that claims 60,000 x 60,000 pixels.
        byte[] png = Files.readAllBytes(images.resolve("0.png"));
        png[18] = (byte) 0xEA;
        png[19] = 0x60;
        png[22] = (byte) 0xEA;
        png[23] = 0x60;
        Path folder = Files.createDirectories(dir.resolve("huge"));
        Files.write(folder.resolve("huge.png"), png, StandardOpenOption.CREATE);
        Path input =
                Files.writeString(dir.resolve("input.csv"), "id,image,question\n1,huge.png,what?\n2,,what is it?\n");
        Path out = dir.resolve("out.jsonl");
        CliRun run = batch(input, out, "--images", folder, "--max-new-tokens", 3, "--json");
        assertThat(run.json().path("failed").asInt()).isEqualTo(1);
        assertThat(lines(out).get(0).at("/error/message").asString()).contains("huge.png");
    }
}
