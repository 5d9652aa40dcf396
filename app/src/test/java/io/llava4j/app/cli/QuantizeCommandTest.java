package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

class QuantizeCommandTest {
    @TempDir
    private static Path shared;

    private static Path model = Path.of("");

    @TempDir
    private Path dir;

    /** Rows of 256 make whole blocks of every type. */
    @BeforeAll
    static void wideModel() throws IOException {
        Path tiny = TinyModel.write(shared);
        String config = Files.readString(tiny.resolve("config.json"))
                .replace("hidden_size\" : 16", "hidden_size\" : 256")
                .replace("\"intermediate_size\" : 32", "\"intermediate_size\" : 512")
                .replace("\"num_hidden_layers\" : 2", "\"num_hidden_layers\" : 8");
        assertThat(config).contains("256");
        Path shape = Files.createDirectory(shared.resolve("shape"));
        Files.writeString(shape.resolve("config.json"), config);
        model = shared.resolve("wide");
        CliRun run = CliRun.of(
                "inspect", "--make-random", shape, "--dtype", "F32", "--tokenizer", shared.resolve("tokenizer"), model);
        assertThat(run.code()).as(run.err()).isZero();
    }

    private Path quantised(String type, Object... more) {
        Path target = dir.resolve(type + more.length);
        List<Object> line = new ArrayList<>(List.of("quantize", model, "-o", target, "--type", type));
        line.addAll(List.of(more));
        CliRun run = CliRun.of(line.toArray());
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
                .startsWith(target + ": a LLaVA model, layout gguf: ")
                .contains("bits per weight", "inference needs about ");
        return target;
    }

    @Test
    void everyTypeAnswersFromItsFile() {
        for (String type : new String[] {"q4_0", "q8_0", "q4_k_m"}) {
            Path target = quantised(type);
            assertThat(target.resolve("model-" + type.toUpperCase(Locale.ROOT) + ".gguf"))
                    .exists();
            assertThat(target.resolve("mmproj-F16.gguf")).exists();
            CliRun answer = CliRun.of("generate", "-m", target, "--max-new-tokens", 3, "--json", "what?");
            assertThat(answer.code()).as(answer.err()).isZero();
        }
    }

    @Test
    void inspectNamesTheStoredTypesAndBytes() throws IOException {
        Path target = quantised("q4_k_m");
        JsonNode parts = CliRun.of("inspect", target, "--json").json().path("parts");
        JsonNode language = parts.path("languageModel");
        assertThat(language.path("dtypes").toString()).isEqualTo("[\"F32\",\"Q4_K\",\"Q6_K\"]");
        assertThat(language.path("bitsPerWeight").asDouble()).isBetween(4.5, 6.6);
        long files = Files.size(target.resolve("model-Q4_K_M.gguf")) + Files.size(target.resolve("mmproj-F16.gguf"));
        assertThat(parts.path("total").path("bytes").asLong()).isBetween(files * 8 / 10, files);
        assertThat(CliRun.of("inspect", target, "--tensors").out())
                .containsPattern("Q6_K +\\[256, 512] +model.layers.0.mlp.down_proj.weight")
                .containsPattern("Q4_K +\\[256, 512] +model.layers.1.mlp.down_proj.weight");
        // A conversion without --type keeps the blocks as they are.
        Path again = dir.resolve("again");
        CliRun run = CliRun.of("convert", target, again, "--to", "gguf");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(CliRun.of("inspect", again, "--json").json().path("parts")).isEqualTo(parts);
    }

    @Test
    void theTowerCanHaveEightBits() {
        Path half = quantised("q8_0");
        Path target = quantised("q8_0", "--projector-type", "q8_0");
        JsonNode parts = CliRun.of("inspect", target, "--json").json().path("parts");
        assertThat(parts.path("projector").path("dtypes").toString()).contains("Q8_0");
        assertThat(parts.path("visionTower").path("dtypes").toString()).doesNotContain("Q8_0");
        assertThat(parts.path("projector").path("bytes").asLong())
                .isLessThan(CliRun.of("inspect", half, "--json")
                        .json()
                        .path("parts")
                        .path("projector")
                        .path("bytes")
                        .asLong());
    }

    @Test
    void otherRowsAreReported() {
        Path tiny = shared.resolve("model");
        CliRun run = CliRun.of("quantize", tiny, "-o", dir.resolve("t"), "--type", "q4_k_m");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err())
                .contains("the rows of some matrices are no multiples of 256")
                .contains(" in F16");
    }

    @Test
    void wrongUseIsOneSentence() throws IOException {
        CliRun type = CliRun.of("quantize", model, "-o", dir.resolve("t"), "--type", "f16");
        assertThat(type.code()).isEqualTo(2);
        assertThat(type.err()).contains("--type takes q4_0, q8_0, q4_k_m, not f16");
        CliRun tower =
                CliRun.of("quantize", model, "-o", dir.resolve("t"), "--type", "q8_0", "--vision-tower-type", "q4_0");
        assertThat(tower.code()).isEqualTo(2);
        assertThat(tower.err()).contains("--vision-tower-type takes f16, q8_0, not q4_0");
        assertThat(CliRun.of("quantize", model, "--type", "q8_0").code()).isEqualTo(2);
        Path full = Files.createDirectory(dir.resolve("full"));
        Files.writeString(full.resolve("note.txt"), "kept");
        CliRun there = CliRun.of("quantize", model, "-o", full, "--type", "q8_0");
        assertThat(there.code()).isEqualTo(1);
        assertThat(there.err().strip().lines()).hasSize(1);
        assertThat(there.err()).contains("full exists already");
        assertThat(full.resolve("note.txt")).hasContent("kept");
    }

    private static final List<String> QUESTIONS =
            List.of("what is in the image?", "", "the dog is red and the cat is blue");

    private Path questions() throws IOException {
        return Files.write(dir.resolve("questions.txt"), QUESTIONS);
    }

    /** Only matrices in 4 bits and 6 bits depend on the prompts; the same prompts give the same bytes. */
    @Test
    void calibrationChangesWhatItShould() throws IOException {
        for (String type : new String[] {"q4_0", "q4_k_m"}) {
            Path plain = quantised(type);
            Path target = dir.resolve(type + "-calibrated");
            CliRun run = CliRun.of("quantize", model, "-o", target, "--type", type, "--calibration", questions());
            assertThat(run.code()).as(run.err()).isZero();
            assertThat(run.err()).contains("calibrated on 2 prompts with 0 images");
            String file = "model-" + type.toUpperCase(Locale.ROOT) + ".gguf";
            assertThat(Files.size(target.resolve(file))).isEqualTo(Files.size(plain.resolve(file)));
            assertThat(Files.mismatch(target.resolve(file), plain.resolve(file)))
                    .isNotNegative();
            assertThat(Files.mismatch(target.resolve("mmproj-F16.gguf"), plain.resolve("mmproj-F16.gguf")))
                    .isNotNegative(); // the name of the folder is in it
            Path again = dir.resolve(type + "-again/" + target.getFileName());
            Files.createDirectory(again.getParent());
            assertThat(CliRun.of("quantize", model, "-o", again, "--type", type, "--calibration", questions())
                            .code())
                    .isZero();
            assertThat(Files.mismatch(target.resolve(file), again.resolve(file)))
                    .isEqualTo(-1);
            assertThat(Files.mismatch(target.resolve("mmproj-F16.gguf"), again.resolve("mmproj-F16.gguf")))
                    .isEqualTo(-1);
        }
    }

    @Test
    void calibrationReadsRecordsWithImages() throws IOException {
        Path images = Files.createDirectory(dir.resolve("images"));
        ImageIO.write(
                new BufferedImage(30, 20, BufferedImage.TYPE_INT_RGB),
                "png",
                images.resolve("a.png").toFile());
        Path records = Files.writeString(dir.resolve("records.json"), """
                [{"id": "1", "image": "a.png", "conversations": [
                  {"from": "human", "value": "<image>\\nwhat is in the image?"}, {"from": "gpt", "value": "a cat"}]}]
                """);
        CliRun run = CliRun.of(
                "quantize",
                model,
                "-o",
                dir.resolve("c"),
                "--type",
                "q4_0",
                "--calibration",
                records,
                "--images",
                images);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.err()).contains("calibrated on 1 prompts with 1 images");
        CliRun without =
                CliRun.of("quantize", model, "-o", dir.resolve("d"), "--type", "q4_0", "--calibration", records);
        assertThat(without.code()).isEqualTo(1);
        assertThat(without.err()).contains("--images");
        assertThat(dir.resolve("d")).doesNotExist();
    }

    @Test
    void calibrationThatCannotBeIsRefused() throws IOException {
        CliRun fixed =
                CliRun.of("quantize", model, "-o", dir.resolve("t"), "--type", "q8_0", "--calibration", questions());
        assertThat(fixed.code()).isEqualTo(2);
        assertThat(fixed.err()).contains("--calibration changes nothing in q8_0");
        CliRun images = CliRun.of("quantize", model, "-o", dir.resolve("t"), "--type", "q4_0", "--images", dir);
        assertThat(images.code()).isEqualTo(2);
        assertThat(images.err()).contains("--images are those of --calibration");
        refused("%s has no prompts", Files.writeString(dir.resolve("empty.txt"), "\n \n"));
        refused("%s, line 1: a line of a text file has no image", Files.writeString(dir.resolve("i.txt"), "<image>?"));
        refused("%s, line 2 has ", Files.writeString(dir.resolve("long.txt"), "a\n" + "cat ".repeat(300)));
        refused("%s is no UTF-8 text", Files.write(dir.resolve("b.txt"), new byte[] {(byte) 0xff, 10}));
        refused("%s", dir.resolve("none.txt"));
        refused("%s", dir.resolve("none.json"));
    }

    private void refused(String message, Path calibration) {
        CliRun run =
                CliRun.of("quantize", model, "-o", dir.resolve("t"), "--type", "q4_0", "--calibration", calibration);
        assertThat(run.code()).as(run.err()).isEqualTo(1);
        assertThat(run.err()).contains(message.formatted(calibration));
        assertThat(dir.resolve("t")).doesNotExist();
    }
}
