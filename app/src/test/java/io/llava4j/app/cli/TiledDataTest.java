package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** data show, stats and validate count images in tiles as LLaVA-1.6 does. */
class TiledDataTest {
    /** Of an image of 640 x 480 and of 1024 x 899, as LLaVA's own code counts them. */
    private static final int[] TOKENS = {2340, 2634};

    @TempDir
    Path dir;

    private Path data;

    @BeforeEach
    void write() throws IOException {
        ImageIO.write(
                new BufferedImage(640, 480, BufferedImage.TYPE_INT_RGB),
                "png",
                dir.resolve("0.png").toFile());
        ImageIO.write(
                new BufferedImage(1024, 899, BufferedImage.TYPE_INT_RGB),
                "png",
                dir.resolve("1.png").toFile());
        data = Files.writeString(dir.resolve("data.jsonl"), """
                {"id": "a", "image": "0.png", "conversations": [{"from": "human", "value": "<image>\\nWhat is left of [0.0, 0.125, 0.5, 0.875]?"}, {"from": "gpt", "value": "nothing"}]}
                {"id": "b", "image": "1.png", "conversations": [{"from": "human", "value": "<image>\\nwhat is it?"}, {"from": "gpt", "value": "black"}, {"from": "human", "value": "and the size?"}, {"from": "gpt", "value": "wide"}]}
                {"id": "c", "conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}
                """);
    }

    private CliRun run(String verb, Object... more) {
        List<Object> all = new ArrayList<>(List.of(
                "data",
                verb,
                data,
                "--images",
                dir,
                "--recipe",
                "../recipes/llava-1.5-7b-finetune-tiles.yaml",
                "--tokenizer",
                "../models/nano-tokenizer"));
        all.addAll(List.of(more));
        return CliRun.of(all.toArray());
    }

    @Test
    void showNamesTokensAndViews() {
        CliRun shown = run("show");
        assertThat(shown.code()).as(shown.err()).isZero();
        for (int tokens : TOKENS) {
            assertThat(shown.out()).contains("<image, %d tokens of 5 views>".formatted(tokens));
        }
        // The box on the canvas of 672 x 672: shares of the padded square, whose whole edge the image of 640 x 480
        // spans.
        assertThat(shown.out()).contains("0, 84 to 336, 588");
    }

    @Test
    void statsCountThem() {
        CliRun counted = run("stats", "--model", "../models/llava-1.5-7b", "--json");
        assertThat(counted.code()).as(counted.err()).isZero();
        assertThat(counted.json().path("record_images").asInt()).isEqualTo(2);
        assertThat(counted.json().path("image_views").asInt()).isEqualTo(10);
        assertThat(counted.json().path("too_long").asInt()).isZero();
        assertThat(counted.json().path("training_tokens").asInt())
                .isBetween(TOKENS[0] + TOKENS[1], TOKENS[0] + TOKENS[1] + 600);
        assertThat(run("stats").out()).contains("in tiles, the images are read as 10 views, 5.0 for each image");
    }

    @Test
    void inspectNamesTheMostAndFewestTokens() {
        CliRun run = CliRun.of("inspect", "../../shared/goldens/llava-next/tiny-llava-next/mha/hf-new-bf16");
        assertThat(run.out())
                .as(run.err())
                .containsPattern("tokensPerImage +88")
                .containsPattern("minTokensPerImage +16")
                .containsPattern("viewsPerImage +5");
    }

    /** The image of 2,634 tokens leaves no place for any answer, that of 2,340 does. */
    @Test
    void validateFindsWhatTilesPushOut() {
        CliRun checked = run("validate", "--max-length", 2600, "--json");
        assertThat(checked.json().path("problems"))
                .as(checked.err())
                .extracting(problem -> problem.path("id").asString() + " "
                        + problem.path("kind").asString())
                .containsExactly("b nothing_supervised");
        assertThat(run("show", "--max-length", 2600).out())
                .contains("left out: no token of an answer is left within data.max-length, as its images in tiles have"
                        + " 2,634 tokens");
    }
}
