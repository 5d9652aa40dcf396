package io.llava4j.train.data.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.text.Turn;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.LlavaWriter;
import io.llava4j.train.data.Policy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several images of one record inside shards and tables keep their order and their bytes. */
class NumberedImagesTest {
    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 12})
    void whatIsWrittenIsReadBack(int count) throws IOException {
        Path folder = Files.createDirectory(dir.resolve("images"));
        List<String> names = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            names.add("%d.jpg".formatted(count - i));
            Files.writeString(folder.resolve(names.getLast()), "image " + i);
        }
        LlavaRecord record = new LlavaRecord(
                "a", names, List.of(Turn.human("<image>\n".repeat(count) + "What?"), Turn.assistant("It.")));
        LlavaWriter.writeShards(
                dir.resolve("out"),
                List.of(record, record),
                position -> Map.of(),
                new ImageFolder(folder, false),
                1,
                (done, total) -> {});
        try (LlavaData data = LlavaFiles.read(dir.resolve("out"), Policy.FAIL)) {
            assertThat(data.records()).containsExactly(record, record);
            for (int i = 0; i < count; i++) {
                assertThat(data.images(null, false).bytes(names.get(i)))
                        .asString(StandardCharsets.UTF_8)
                        .isEqualTo("image " + i);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "k.0.jpg k.1.png k.txt | k.0.jpg k.1.png",
                "k.1.jpg k.2.jpg k.txt | k.1.jpg k.2.jpg",
                "k.img1.png k.img0.jpg k.txt | k.img0.jpg k.img1.png",
                "k.image_000.jpg k.image_001.jpg k.txt | k.image_000.jpg k.image_001.jpg",
                "f/k.0.JPG f/k.1.Png f/k.txt | f/k.0.JPG f/k.1.Png",
                "k.0.jpg k.1.jpg k.10.jpg k.2.jpg k.3.jpg k.4.jpg k.5.jpg k.6.jpg k.7.jpg k.8.jpg k.9.jpg k.txt"
                        + " | k.0.jpg k.1.jpg k.2.jpg k.3.jpg k.4.jpg k.5.jpg k.6.jpg k.7.jpg k.8.jpg k.9.jpg k.10.jpg"
            })
    void numbersAreTheOrder(String names, String order) throws IOException {
        try (LlavaData data = LlavaFiles.read(tar(names.split(" ")), Policy.FAIL)) {
            List<String> images = data.records().getFirst().images();
            assertThat(images)
                    .containsExactlyElementsOf(List.of(order.split(" ")).stream()
                            .map(name -> "s.tar/" + name)
                            .toList());
            for (String image : images) {
                assertThat("s.tar/" + new String(data.images(null, false).bytes(image), StandardCharsets.UTF_8))
                        .isEqualTo(image);
            }
            assertThat(data.records().getFirst().turns().getFirst().text())
                    .startsWith("<image>\n".repeat(images.size()) + "Provide");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "k.jpg k.png k.txt | it has 2 images and their names have no order; call them KEY.0.jpg, KEY.1.jpg",
                "k.jpg k.mask.png k.txt | it has 2 images and their names have no order",
                "k.0.jpg k.2.jpg k.txt | a sample's name ends at the first dot",
                "k.5.jpg k.6.jpg k.txt | a sample's name ends at the first dot",
                "k.a0.jpg k.b1.jpg k.txt | a sample's name ends at the first dot",
                "k.0.jpg k.00.jpg k.txt | two of its images have the number 00"
            })
    void namesWithoutAnOrderAreRefused(String names, String reason) throws IOException {
        Path tar = tar(names.split(" "));
        assertThatThrownBy(() -> LlavaFiles.read(tar, Policy.FAIL)).hasMessageContaining(reason);
    }

    @Test
    void aRecordThatNamesMoreOrFewerImagesIsRefused() throws IOException {
        for (String images : List.of("[\"a.jpg\"]", "[\"a.jpg\", \"b.jpg\", \"c.jpg\"]", "\"a.jpg\"")) {
            Path tar = dir.resolve("s.tar");
            Files.deleteIfExists(tar);
            try (TarWriter out = TarWriter.create(tar)) {
                out.add("k.0.jpg", text("one"));
                out.add("k.1.jpg", text("two"));
                out.add("k.json", text("{\"images\": %s, \"caption\": \"Two.\"}".formatted(images)));
            }
            assertThatThrownBy(() -> LlavaFiles.read(tar, Policy.FAIL))
                    .hasMessageContaining(" images, but the archive has 2 for it; add or remove images");
        }
    }

    @Test
    void listsAndNumberedColumnsOfTables() {
        try (LlavaData data = LlavaFiles.read(resource("list-of-structs.parquet"), Policy.FAIL)) {
            assertThat(data.records())
                    .extracting(record -> record.images().size())
                    .containsExactly(3, 1, 0, 0);
            assertThat(colours(data, 0)).containsExactly(0xFF0000, 0x00FF00, 0x0000FF);
            assertThat(colours(data, 1)).containsExactly(0x0000FF);
            assertThat(data.records().getFirst().turns().getFirst().text())
                    .isEqualTo("<image>\n<image>\n<image>\nCompare them.");
        }
        try (LlavaData data = LlavaFiles.read(resource("list-of-bytes.parquet"), Policy.FAIL)) {
            assertThat(colours(data, 0)).containsExactly(0xFF0000, 0x00FF00);
            assertThat(colours(data, 1)).containsExactly(0x0000FF, 0xFF0000);
        }
        try (LlavaData data = LlavaFiles.read(resource("numbered.parquet"), Policy.FAIL)) {
            assertThat(colours(data, 0)).containsExactly(0xFF0000, 0x00FF00);
            assertThat(colours(data, 1)).containsExactly(0x00FF00);
        }
    }

    @Test
    void aPathBesideTheBytesOfAnImageIsOnlyItsName() throws IOException {
        try (LlavaData data = LlavaFiles.read(resource("paths-elsewhere.parquet"), Policy.FAIL)) {
            for (int i = 0; i < 5; i++) {
                assertThat(colours(data, i))
                        .containsExactly(List.of(0xFF0000, 0x00FF00, 0x0000FF, 0xFF0000, 0x00FF00)
                                .get(i));
            }
        }
        Path tar = dir.resolve("s.tar");
        List<String> elsewhere = List.of("/root/.cache/x.jpg", "C:\\\\pics\\\\y.jpg", "https://example.org/z.jpg");
        try (TarWriter out = TarWriter.create(tar)) {
            for (int i = 0; i < elsewhere.size(); i++) {
                out.add(i + ".jpg", text("image " + i));
                out.add(i + ".json", text("{\"image\": \"%s\", \"caption\": \"It.\"}".formatted(elsewhere.get(i))));
            }
        }
        try (LlavaData data = LlavaFiles.read(tar, Policy.FAIL)) {
            for (int i = 0; i < elsewhere.size(); i++) {
                assertThat(data.records().get(i).images()).containsExactly("s.tar/" + i + ".jpg");
                assertThat(data.images(null, false).bytes("s.tar/" + i + ".jpg"))
                        .asString(StandardCharsets.UTF_8)
                        .isEqualTo("image " + i);
            }
        }
    }

    @Test
    void anImageInAnUnknownColumnIsNotDropped() {
        try (LlavaData data = LlavaFiles.read(resource("unknown-column.parquet"), Policy.SKIP)) {
            assertThat(data.records()).hasSize(1);
            assertThat(data.skipped().getFirst().reason())
                    .contains("its column 'screenshot' holds an image but is not known as one; call it image");
        }
    }

    private static List<Integer> colours(LlavaData data, int record) {
        Images images = data.images(null, false);
        return data.records().get(record).images().stream()
                .map(name -> images.decode(name).pixels())
                .map(rgb -> (rgb[0] & 0xff) << 16 | (rgb[1] & 0xff) << 8 | rgb[2] & 0xff)
                .toList();
    }

    /** An archive of files that contain their own names. */
    private Path tar(String... names) throws IOException {
        Path tar = dir.resolve("s.tar");
        try (TarWriter out = TarWriter.create(tar)) {
            for (String name : names) {
                out.add(name, text(name));
            }
        }
        return tar;
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Path resource(String name) {
        return Path.of(Objects.requireNonNull(NumberedImagesTest.class.getResource("/parquet/" + name))
                .getPath());
    }
}
