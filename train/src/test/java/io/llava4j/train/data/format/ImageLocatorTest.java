package io.llava4j.train.data.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.Base64;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A path that names no image is refused in words that name the file that was meant, and what to change. */
class ImageLocatorTest {
    private static final String DECOMPOSED = Normalizer.normalize("café.jpg", Normalizer.Form.NFD);

    @TempDir
    Path dir;

    private Path root;
    private ImageFolder folder;

    @BeforeEach
    void files() throws IOException {
        root = Files.createDirectories(dir.resolve("images"));
        Files.createDirectories(root.resolve("coco/train2017"));
        Files.writeString(root.resolve("a.jpg"), "a");
        Files.writeString(root.resolve("C.PNG"), "c");
        Files.writeString(root.resolve("coco/b x.jpg"), "b");
        Files.writeString(root.resolve("coco/train2017/1.jpg"), "1");
        Files.writeString(root.resolve(DECOMPOSED), "e");
        Files.writeString(dir.resolve("outside.jpg"), "o");
        folder = new ImageFolder(root, false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a.jpg", "./a.jpg", "coco//b x.jpg", "coco/./b x.jpg"})
    void relativePathsAreUsed(String image) {
        assertThat(folder.resolve(image)).isRegularFile();
    }

    @Test
    void absolutePathsInsideTheFolderAreUsed() throws IOException {
        Path link = Files.createSymbolicLink(dir.resolve("link"), root);
        for (Path absolute : new Path[] {root.resolve("coco/b x.jpg"), link.resolve("coco/b x.jpg")}) {
            assertThat(folder.resolve(absolute.toString()))
                    .isEqualTo(root.resolve("coco/b x.jpg").toRealPath());
            assertThat(new ImageLocator(root).relative(absolute.toString())).isEqualTo("coco/b x.jpg");
            assertThat(new ImageFolder(link, false).resolve(absolute.toString()))
                    .isRegularFile();
            Path file = Files.writeString(
                    dir.resolve("d.json"),
                    "[{\"image\": \"%s\", \"conversations\": [{\"from\": \"human\", \"value\": \"<image>\\nWhat?\"}, {\"from\": \"gpt\", \"value\": \"B.\"}]}]"
                            .formatted(absolute));
            try (LlavaData data = LlavaFiles.read(file, Policy.FAIL, QuestionRows.STANDARD, root)) {
                assertThat(data.records().getFirst().images()).containsExactly("coco/b x.jpg");
            }
            assertThatThrownBy(() -> LlavaFiles.read(file, Policy.FAIL))
                    .hasMessageContaining("leaves the image folder");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "coco\\b x.jpg | there is 'coco/b x.jpg': write / instead of \\",
                "coco/b%20x.jpg | there is 'coco/b x.jpg': the path is URL-encoded, decode it",
                "A.JPG | there is 'a.jpg': upper and lower case differ, write the name of the file",
                "c.png | there is 'C.PNG': upper and lower case differ",
                "COCO/B X.jpg | there is 'coco/b x.jpg': upper and lower case differ",
                "a.jpeg | there is 'a.jpg': the ending differs",
                "a.png | there is 'a.jpg': the ending differs",
                "a | there is 'a.jpg': the ending differs",
                "images/a.jpg | there is 'a.jpg': leave out 'images/'",
                "./images/images/a.jpg | there is 'a.jpg': leave out './images/images/'",
                "images\\coco\\b%20x.JPG | there is 'coco/b x.jpg': write / instead of \\; the path is URL-encoded, decode it; leave out 'images/'; upper and lower case differ",
                "train2017/1.jpg | there is 'coco/train2017/1.jpg': write the folder 'coco/' before it",
                "b x.jpg | there is 'coco/b x.jpg': write the folder 'coco/' before it",
                "`a.jpg ` | there is 'a.jpg': remove the white space around the path",
                "` a.jpg` | there is 'a.jpg': remove the white space around the path",
                "café.jpg | its accents are encoded in another Unicode form, write NFD",
                "none.jpg | download it or correct the path",
                "coco/none.jpg | download it or correct the path",
                "100%.jpg | download it or correct the path",
                "coco | 'coco' is a folder in",
            })
    void whatIsMissingIsToldApart(String image, String words) {
        assertThatThrownBy(() -> folder.resolve(image))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("image '")
                .hasMessageContaining(words);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "/data/coco/train2017/1.jpg | leaves the image folder | there is 'coco/train2017/1.jpg': leave out '/data/'",
                "C:\\pics\\a.jpg | leaves the image folder | there is 'a.jpg': write / instead of \\; leave out 'C:/pics/'",
                "/etc/x.jpg | leaves the image folder | write one relative to it, without ..",
                "../outside.jpg | leaves the image folder | write one relative to it, without ..",
                "coco\\..\\..\\outside.jpg | leaves the image folder | without ..",
                "https://example.org/a.jpg | is a web address | download it and write the path of the file",
                "HTTP://example.org/a.jpg | is a web address | download it",
                "s3://bucket/a.jpg | is a web address | download it",
                "file:///data/a.jpg | is a file address | write the path alone",
            })
    void pathsThatAreNotBelowTheFolderAreToldApart(String image, String what, String remedy) {
        assertThatThrownBy(() -> folder.resolve(image))
                .hasMessageContaining(what)
                .hasMessageContaining(remedy);
    }

    @Test
    void absolutePathsOutsideAreRefusedAlsoIfTheyExist() {
        for (String image : new String[] {
            dir.resolve("outside.jpg").toString(),
            root.resolve("../outside.jpg").toString()
        }) {
            assertThatThrownBy(() -> folder.resolve(image)).hasMessageContaining("leaves the image folder");
        }
    }

    @Test
    void anImageInsteadOfAPathIsRecognisedWhateverItsLength() {
        for (String head : new String[] {
            "\u00ff\u00d8\u00ff\u00e0\0\u0010JFIF\0\1",
            "\u0089PNG\r\n\u001a\n\0\0\0\r",
            "GIF89a\1\0\1\0\0\0",
            "RIFF\1\0\0\0WEBP",
            "BM\1\0\0\0\0\0\0\0\0\0"
        }) {
            for (int length : new int[] {30, 300, 30_000}) {
                byte[] bytes = (head + "x".repeat(length)).getBytes(java.nio.charset.StandardCharsets.ISO_8859_1);
                String base64 = Base64.getEncoder().encodeToString(bytes);
                assertThat(ImageLocator.complaint(base64)).startsWith("the image is in the record itself");
                assertThat(ImageLocator.complaint(base64)).hasSizeLessThan(200);
                assertThat(ImageLocator.complaint("data:image/png;base64," + base64))
                        .startsWith("the image is in the record itself")
                        .hasSizeLessThan(200);
            }
        }
        assertThat(ImageLocator.complaint("a/" + "b".repeat(60))).isNull();
        assertThat(ImageLocator.complaint("x".repeat(5000)))
                .contains("is longer than any path")
                .hasSizeLessThan(200);
    }
}
