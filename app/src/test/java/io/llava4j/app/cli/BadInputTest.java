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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Errors in recipes and data reach the user as one sentence that names file and record. */
class BadInputTest {
    private static final String GOOD =
            "{'id':'good','image':'ok.png','conversations':[{'from':'human','value':'<image>\\nwhat?'},{'from':'gpt','value':'a cat'}]}";

    @TempDir
    private Path dir;

    private Path model = Path.of("");

    @BeforeEach
    void make() throws IOException {
        model = TinyModel.write(dir);
        Files.createDirectories(dir.resolve("images"));
        ImageIO.write(
                new BufferedImage(30, 20, BufferedImage.TYPE_INT_RGB),
                "png",
                dir.resolve("images/ok.png").toFile());
        Files.writeString(dir.resolve("images/broken.png"), "no image");
        Files.writeString(
                dir.resolve("recipe.yaml"), """
                stage: finetune
                model:
                  base: %s
                data:
                  json: %s
                  images: %s
                  missing-image-policy: skip
                  max-length: 256
                batch:
                  per-device: 2
                """.formatted(model, dir.resolve("data.json"), dir.resolve("images")));
    }

    private CliRun train(String records, String... more) throws IOException {
        Files.writeString(dir.resolve("data.json"), records.replace('\'', '"'));
        List<Object> arguments = new ArrayList<>(List.of(
                "train", dir.resolve("recipe.yaml"), "--set", "output=" + dir.resolve("run"), "--set", "threads=1"));
        arguments.addAll(List.of(more));
        return CliRun.of(arguments.toArray());
    }

    private static void isOneSentence(CliRun run, String... parts) {
        assertThat(run.code()).as(run.err()).isEqualTo(1);
        assertThat(run.err()).startsWith("llava: ").contains(parts).doesNotContain("internal error");
        assertThat(run.err().lines()).as(run.err()).hasSize(1);
        assertThat(run.out()).isEmpty();
    }

    @Test
    void anUnknownKeyIsAnsweredWithTheNearestName() throws IOException {
        isOneSentence(
                train("[" + GOOD + "]", "--set", "optimizer.learning-rat=1"),
                "unknown key 'optimizer.learning-rat'",
                "did you mean 'optimizer.learning-rate'?");
    }

    @Test
    void anImpossibleCombinationIsRefused() throws IOException {
        isOneSentence(
                train("[" + GOOD + "]", "--set", "model.vision-tower=" + model), "model.base", "model.vision-tower");
    }

    @Test
    void malformedJsonNamesFileAndPosition() throws IOException {
        isOneSentence(train("[" + GOOD + ",{'id':}]"), "data.json", "line 1", "record 1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{'id':'x','image':'../secret.png','conversations':[{'from':'human','value':'<image> q'},{'from':'gpt','value':'a'}]} | image path '../secret.png' leaves the image folder",
                "{'id':'x','image':'missing.png','conversations':[{'from':'human','value':'<image> q'},{'from':'gpt','value':'a'}]} | image 'missing.png' does not exist",
                "{'id':'x','image':'broken.png','conversations':[{'from':'human','value':'<image> q'},{'from':'gpt','value':'a'}]} | broken.png",
                "{'id':'x','conversations':[{'from':'gpt','value':'a'}]} | an answer has no question before it",
                "{'id':'x','conversations':[{'from':'human','value':'q'},{'from':'gpt','value':''}]} | answer 1 is empty",
                "{'id':'x','image':'ok.png','conversations':[{'from':'human','value':'<image> Please provide a short description for this region: [0.1, 0.2, 1.3, 0.4].'},{'from':'gpt','value':'a'}]} | outside the image",
            })
    void aBadRecordIsSkippedAndListedOrEndsTheRun(String record, String word) throws IOException {
        CliRun skipping = train("[" + GOOD + "," + record.strip() + "]", "--set", "data.max-left-out=1");
        assertThat(skipping.code()).as(skipping.err()).isZero();
        assertThat(dir.resolve("run/skipped.jsonl"))
                .content()
                .contains("\"x\"", word.strip())
                .satisfies(text -> assertThat(text.lines()).hasSize(1));
        assertThat(dir.resolve("run/model/model.safetensors")).isRegularFile();

        isOneSentence(
                train(
                        "[" + GOOD + "," + record.strip() + "]",
                        "--set",
                        "data.max-length=256",
                        "--set",
                        "output=" + dir.resolve("strict"),
                        "--set",
                        "data.bad-record-policy=fail",
                        "--set",
                        "data.missing-image-policy=fail"),
                "data.json, record 1 (id x): ",
                word.strip());
        assertThat(dir.resolve("strict/model")).doesNotExist();
    }

    @Test
    void aRunThatWouldLeaveOutTooManyRecordsDoesNotStart() throws IOException {
        String bad = "{'id':'x','conversations':[{'from':'gpt','value':'a'}]}";
        isOneSentence(
                train("[" + GOOD + "," + bad + "]"),
                "1 of 2 records cannot be used, more than data.max-left-out 0.05",
                "an answer has no question before it");
        assertThat(dir.resolve("run/model")).doesNotExist();
    }

    @Test
    void aFinishedRunIsNotOverwritten() throws IOException {
        assertThat(train("[" + GOOD + "]").code()).isZero();
        isOneSentence(
                train("[" + GOOD + "]"), "finished model", dir.resolve("run").toString());
    }

    @Test
    void anUnreadableCheckpointNamesTheFile() throws IOException {
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        Files.write(weights, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        isOneSentence(train("[" + GOOD + "]"), "model.safetensors");
        assertThat(dir.resolve("run/model")).doesNotExist();
    }
}
