package io.llava4j.train.data.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An image inside an archive is never confused with another, whatever their names are. */
class ImageArchiveTest {
    @TempDir
    Path dir;

    @Test
    void everyImageKeepsItsBytesHoweverNamesClash() throws IOException {
        byte[] content = new byte[64];
        new Random(1).nextBytes(content);
        FileChannel file = FileChannel.open(Files.write(dir.resolve("bytes"), content));
        Random random = new Random(2);
        List<String> names = List.of("a", "a-2", "f/a.jpg", "f/a-2.jpg", "f/a-3.jpg");
        Map<String, Byte> given = new HashMap<>();
        try (ImageArchive images = new ImageArchive(List.of(file))) {
            for (int i = 0; i < content.length; i++) {
                String name = names.get(random.nextInt(names.size()));
                String place = names.get(random.nextInt(names.size()));
                given.put(images.add(name, place, file, i, 1), content[i]);
            }
            given.forEach(
                    (name, value) -> assertThat(images.bytes(name)).as(name).containsExactly(value));
        }
    }

    @Test
    void shardsOfOneNameInSeveralFoldersKeepTheirImages() throws IOException {
        for (int shard = 0; shard < 3; shard++) {
            Path folder = Files.createDirectories(dir.resolve("part-" + shard));
            try (TarWriter out = TarWriter.create(folder.resolve("s.tar"))) {
                out.add("0.jpg", text("image " + shard));
                out.add("0.txt", text("caption " + shard));
            }
        }
        try (LlavaData data = LlavaFiles.read(dir.resolve("part-{0..2}/s.tar"), Policy.FAIL)) {
            assertThat(data.records())
                    .hasSize(3)
                    .allSatisfy(record -> assertThat(data.images(null, false)
                                    .bytes(record.images().getFirst()))
                            .asString(StandardCharsets.UTF_8)
                            .isEqualTo(record.turns().getLast().text().replace("caption", "image")));
        }
    }

    @Test
    void samplesWhoseFilesAreApartAreRefused() {
        assertThatThrownBy(() -> read("0.jpg", "0.txt", "1.jpg", "1.txt", "0.jpg", "0.txt"))
                .hasMessageContaining("'0.jpg' of ")
                .hasMessageContaining("is apart from the other files of sample '0'; write each file once");
        assertThatThrownBy(() -> read("0.txt", "1.txt", "1.jpg", "0.jpg")).hasMessageContaining("'0.jpg'");
        assertThatThrownBy(() -> read("0.txt", "0.txt", "0.jpg")).hasMessageContaining("'0.txt' stands in it twice");
        assertThatThrownBy(() -> read("22.05.jpg", "22.05.txt"))
                .hasMessageContaining("'22.05.txt' belongs to it because a sample's name ends at the first dot");
        assertThatThrownBy(() -> read("22.05.jpg", "22.05.txt", "22.06.jpg", "22.06.txt"))
                .hasMessageContaining("'22.06.jpg' belongs to it because a sample's name ends at the first dot");
    }

    private void read(String... names) throws IOException {
        Path tar = dir.resolve("s.tar");
        Files.deleteIfExists(tar);
        try (TarWriter out = TarWriter.create(tar)) {
            for (String name : names) {
                out.add(name, text(name));
            }
        }
        LlavaFiles.read(tar, Policy.SKIP).close();
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
