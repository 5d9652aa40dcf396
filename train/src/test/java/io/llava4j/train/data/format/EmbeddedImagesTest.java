package io.llava4j.train.data.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.Policy;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Images that are in the records themselves are used as those in files, and never fill the terminal. */
class EmbeddedImagesTest {
    private static final String TALK =
            "\"conversations\": [{\"from\": \"human\", \"value\": \"<image>\\nWhat?\"}, {\"from\": \"gpt\", \"value\": \"It.\"}]";

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"image\": \"BASE64\", TALK",
                "\"image\": \"data:image/png;base64,BASE64\", TALK",
                "\"image\": \"DATA:IMAGE/PNG;Base64,BASE64\", TALK",
                "\"images\": [\"BASE64\"], TALK",
                "\"img\": {\"data\": \"BASE64\"}, TALK",
                "\"image\": \"BASE64\", \"question\": \"What?\", \"answer\": \"It.\"",
                "\"image\": \"BASE64\", \"caption\": \"It.\"",
                "\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \"data:image/png;base64,BASE64\"}}, {\"type\": \"text\", \"text\": \"What?\"}]}, {\"role\": \"assistant\", \"content\": \"It.\"}]",
                "\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"image\", \"source\": {\"type\": \"base64\", \"data\": \"BASE64\"}}, {\"type\": \"text\", \"text\": \"What?\"}]}, {\"role\": \"assistant\", \"content\": \"It.\"}]",
            })
    void everyShapeWithAnImageInItIsUsed(String row) throws IOException {
        String base64 = Base64.getEncoder().encodeToString(png(0x123456, 6));
        String json = "{%s}".formatted(row.replace("TALK", TALK).replace("BASE64", base64));
        try (LlavaData data = read(json)) {
            LlavaRecord record = data.records().getFirst();
            assertThat(record.images())
                    .singleElement()
                    .asString()
                    .startsWith("d.jsonl/")
                    .endsWith(".png");
            assertThat(data.images(null, false)
                            .decode(record.images().getFirst())
                            .pixels())
                    .startsWith((byte) 0x12, (byte) 0x34, (byte) 0x56);
        }
    }

    @Test
    void imagesInRecordsAndInFilesStandSideBySide() throws IOException {
        Path folder = Files.createDirectory(dir.resolve("images"));
        Files.write(folder.resolve("a.png"), png(0x0000FF, 3));
        String red = Base64.getEncoder().encodeToString(png(0xFF0000, 6));
        String green = Base64.getMimeEncoder().encodeToString(png(0x00FF00, 6)).replace("\r\n", "\\n");
        try (LlavaData data = read(List.of(red, "a.png", green, red).stream()
                .map(image -> "{\"image\": \"%s\", %s}\n".formatted(image, TALK))
                .reduce("", String::concat))) {
            List<String> names = data.records().stream()
                    .map(record -> record.images().getFirst())
                    .toList();
            assertThat(names.get(3)).isEqualTo(names.get(0));
            Images images = data.images(folder, false);
            assertThat(images.decode(names.get(0)).pixels()).startsWith((byte) 255, (byte) 0, (byte) 0);
            assertThat(images.decode(names.get(1)).pixels()).startsWith((byte) 0, (byte) 0, (byte) 255);
            assertThat(images.decode(names.get(2)).pixels()).startsWith((byte) 0, (byte) 255, (byte) 0);
            images.require(names.get(2));
            assertThat(images.size(names.get(1))).isEqualTo(Files.size(folder.resolve("a.png")));
            assertThatThrownBy(() -> data.images(null, false))
                    .hasMessageContaining("record 1")
                    .hasMessageContaining("no folder of images is given");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "data:image/svg+xml,%3Csvg%3E | the image is in the record itself, but not in base64; write it to a file",
                "data:image/png;base64,AAAA | but is neither JPEG, PNG, GIF, WebP nor BMP; write it to a file",
                "data:image/png;base64,A*A | but its base64 is damaged; write it to a file",
                "data: | the image is in the record itself, but not in base64",
            })
    void whatCannotBeDecodedIsRefusedInOneShortSentence(String image, String words) {
        for (int times : new int[] {0, 100_000}) {
            String json = "{\"image\": \"%s\", %s}".formatted(image.strip() + "A".repeat(times), TALK);
            assertThatThrownBy(() -> read(json))
                    .hasMessageContaining(words)
                    .message()
                    .hasSizeLessThan(300);
        }
    }

    @Test
    void anImageUnderAnUnknownKeyIsNotDropped() throws IOException {
        String base64 = Base64.getEncoder().encodeToString(png(0x123456, 6));
        assertThatThrownBy(() -> read(
                        "{\"screenshot\": \"%s\", \"question\": \"What?\", \"answer\": \"It.\"}".formatted(base64)))
                .hasMessageContaining("its 'screenshot' names an image")
                .message()
                .hasSizeLessThan(300);
    }

    private LlavaData read(String lines) throws IOException {
        return LlavaFiles.read(Files.writeString(dir.resolve("d.jsonl"), lines), Policy.FAIL);
    }

    private static byte[] png(int rgb, int width) throws IOException {
        BufferedImage image = new BufferedImage(width, 4, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * 4; i++) {
            image.setRGB(i % width, i / width, rgb);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }
}
