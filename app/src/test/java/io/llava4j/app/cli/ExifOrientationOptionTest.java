package io.llava4j.app.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code --exif-orientation} and {@code data.exif-orientation}: with them an image whose tag says 6 counts as the one that
 * is turned, without them as the one that has no tag.
 */
class ExifOrientationOptionTest {
    @TempDir
    static Path dir;

    private static Path model;

    @BeforeAll
    static void make() throws IOException {
        BufferedImage lying = new BufferedImage(40, 20, BufferedImage.TYPE_INT_RGB);
        BufferedImage standing = new BufferedImage(20, 40, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 20; y++) {
            for (int x = 0; x < 40; x++) {
                int rgb = x < 20 ? 0xFFFFFF : 0xFF0000;
                lying.setRGB(x, y, rgb);
                standing.setRGB(19 - y, x, rgb); // a quarter clockwise
            }
        }
        for (String folder : new String[] {"tagged", "untagged", "turned"}) {
            byte[] png = png(folder.equals("turned") ? standing : lying);
            Files.createDirectories(dir.resolve(folder));
            Files.write(dir.resolve(folder).resolve("a.png"), folder.equals("tagged") ? withOrientation(png, 6) : png);
        }
        Files.writeString(dir.resolve("data.json"), "[" + record("a.png", "cat") + "]");
        Files.writeString(
                dir.resolve("questions.jsonl"), "{\"question_id\": 1, \"image\": \"a.png\", \"text\": \"what?\"}\n");
        Path random = TinyModel.write(dir);
        Files.writeString(
                dir.resolve("two.json"),
                "[" + record("untagged/a.png", "dog") + ", " + record("turned/a.png", "cat") + "]");
        Path recipe = Files.writeString(
                dir.resolve("two.yaml"), """
                stage: finetune
                output: %s
                model: {base: %s}
                data: {json: %s, images: %s, max-length: 200}
                optimizer: {learning-rate: 0.02}
                schedule: {max-steps: 60}
                batch: {per-device: 2, accumulation: 1}
                """.formatted(dir.resolve("trained"), random, dir.resolve("two.json"), dir));
        run(new Object[] {"train", recipe});
        model = dir.resolve("trained/model");
    }

    /** The model was trained to answer "dog" about the one and "cat" about the other. */
    @Test
    void generate() {
        assertThat(generated("turned").strip()).isEqualTo("cat");
        assertThat(generated("tagged", "--exif-orientation"))
                .isEqualTo(generated("turned"))
                .isNotEqualTo(generated("untagged"));
        assertThat(generated("tagged")).isEqualTo(generated("untagged"));
    }

    @Test
    void evalOfAQuestionFile() throws IOException {
        assertThat(answered("tagged", "--exif-orientation"))
                .isEqualTo(answered("turned"))
                .isNotEqualTo(answered("untagged"));
        assertThat(answered("tagged")).isEqualTo(answered("untagged"));
    }

    @Test
    void training() throws IOException {
        assertThat(firstLoss("tagged", true))
                .isEqualTo(firstLoss("turned", false))
                .isNotEqualTo(firstLoss("untagged", false));
        assertThat(firstLoss("tagged", false)).isEqualTo(firstLoss("untagged", false));
    }

    private static String record(String image, String answer) {
        return "{\"id\": \"%s\", \"image\": \"%s\", \"conversations\": [{\"from\": \"human\", \"value\": \"<image>\\nwhat?\"}, {\"from\": \"gpt\", \"value\": \"%s\"}]}"
                .formatted(image, image, answer);
    }

    private static String generated(String folder, Object... more) {
        Object[] arguments = {
            "generate", "-m", model, "--image", dir.resolve(folder).resolve("a.png"), "--max-new-tokens", 9, "what?"
        };
        return run(arguments, more).out();
    }

    private static String answered(String folder, Object... more) throws IOException {
        Path answers = dir.resolve("answers-" + folder + more.length + ".jsonl");
        Object[] arguments = {
            "eval",
            "-m",
            model,
            "--questions",
            dir.resolve("questions.jsonl"),
            "--images",
            dir.resolve(folder),
            "--answers",
            answers,
            "--model-id",
            "tiny",
            "--max-new-tokens",
            9
        };
        run(arguments, more);
        return Files.readString(answers);
    }

    private static String firstLoss(String folder, boolean exif) throws IOException {
        Path recipe = Files.writeString(dir.resolve("recipe.yaml"), """
                stage: finetune
                output: %s
                model: {base: %s}
                data: {json: %s, images: %s, exif-orientation: %s, max-length: 200}
                batch: {per-device: 1, accumulation: 1}
                """.formatted(
                        dir.resolve("run"), model, dir.resolve("data.json"), dir.resolve(folder), exif));
        String line = run(new Object[] {"train", recipe, "--dry-run"}).out();
        Matcher loss =
                Pattern.compile("loss of the first micro-batch ([0-9.]+)").matcher(line);
        assertThat(loss.find()).as(line).isTrue();
        return loss.group(1);
    }

    private static CliRun run(Object[] arguments, Object... more) {
        Object[] all = new Object[arguments.length + more.length];
        // Options stand before the prompt, which may be the last argument.
        all[0] = arguments[0];
        System.arraycopy(more, 0, all, 1, more.length);
        System.arraycopy(arguments, 1, all, 1 + more.length, arguments.length - 1);
        CliRun run = CliRun.of(all);
        assertThat(run.code()).as(run.err()).isZero();
        return run;
    }

    private static byte[] png(BufferedImage image) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    /** With an {@code eXIf} chunk after the header; EXIF 2.32, section 4.6.4. */
    private static byte[] withOrientation(byte[] png, int orientation) {
        int header = 8 + 25;
        ByteBuffer chunk = ByteBuffer.allocate(4 + 26);
        chunk.put("eXIf".getBytes(StandardCharsets.US_ASCII)).put("MM".getBytes(StandardCharsets.US_ASCII));
        chunk.putShort((short) 42).putInt(8).putShort((short) 1);
        chunk.putShort((short) 274).putShort((short) 3).putInt(1).putShort((short) orientation);
        CRC32 checksum = new CRC32();
        checksum.update(chunk.array());
        return ByteBuffer.allocate(png.length + 4 + chunk.capacity() + 4)
                .put(png, 0, header)
                .putInt(chunk.capacity() - 4)
                .put(chunk.array())
                .putInt((int) checksum.getValue())
                .put(png, header, png.length - header)
                .array();
    }
}
