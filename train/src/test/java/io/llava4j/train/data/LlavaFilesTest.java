package io.llava4j.train.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.text.Turn;
import io.llava4j.train.data.format.ImageFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LlavaFilesTest {
    private static final String GOOD = record("\"a\"", "coco/1.jpg", "human", "<image>\\nWhat?", "gpt", "A cat.");

    @TempDir
    private Path dir;

    @Test
    void arrayWithEveryValidForm() throws IOException {
        LlavaData data = read(
                "[%s,\n{\"id\": 17, \"model\": \"\", \"conversations\": %s},\n{\"image\": null, \"conversations\": %s}]"
                        .formatted(
                                GOOD,
                                turns("human", "Hi", "gpt", "Hello", "human", "Bye", "gpt", "See you"),
                                turns("gpt", "dropped", "human", "One?", "gpt", "Two.")));

        assertThat(data.records())
                .containsExactly(
                        new LlavaRecord(
                                "a",
                                List.of("coco/1.jpg"),
                                List.of(Turn.human("<image>\nWhat?"), Turn.assistant("A cat."))),
                        new LlavaRecord(
                                "17",
                                List.of(),
                                List.of(
                                        Turn.human("Hi"),
                                        Turn.assistant("Hello"),
                                        Turn.human("Bye"),
                                        Turn.assistant("See you"))),
                        new LlavaRecord("", List.of(), List.of(Turn.human("One?"), Turn.assistant("Two."))));
        assertThat(data.leadingAnswersDropped()).isEqualTo(1);
        assertThat(data.skipped()).isEmpty();
    }

    @Test
    void linesWithByteOrderMarkAndBlankLines() throws IOException {
        LlavaData data = read("\uFEFF" + GOOD + "\n\n  \r\n" + GOOD.replace("\"a\"", "\"b\"") + "\n");

        assertThat(data.records()).extracting(LlavaRecord::id).containsExactly("a", "b");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/etc/x.jpg|human|<image>|gpt|A.|image path '/etc/x.jpg' leaves the image folder",
                "a/../../x.jpg|human|<image>|gpt|A.|leaves the image folder",
                "a\\\\..\\\\x.jpg|human|<image>|gpt|A.|leaves the image folder",
                "C:\\\\x.jpg|human|<image>|gpt|A.|leaves the image folder",
                "' '|human|<image>|gpt|A.|the image path is empty",
                "1.jpg|human|What?|gpt|A.|it has an image but no question contains <image>",
                "|human|<image> What?|gpt|A.|contains <image> but the record has no image",
                "1.jpg|human|<image>|gpt|<image>|an answer contains <image>",
                "|human|What?|gpt|' \\n'|answer 1 is empty",
                "|human|''|gpt|A.|question 1 is empty",
                "|gpt|A.|gpt|B.|an answer has no question before it",
                "|human|A?|human|B?|a question is followed by another one",
                "|user|A?|gpt|B.|turn 1 is from 'user'; write human or gpt",
                "1.jpg|human|<image> Please provide a short description for this region: [0.1, 0.2, 1.3, 0.4].|gpt|A.|"
                        + "the box [0.10, 0.20, 1.30, 0.40] of question 1 lies outside the image",
                "1.jpg|human|<image> Please provide the bounding box coordinate of the region this sentence describes: a.|"
                        + "gpt|[0.5, 0.2, 0.3, 0.4]|corners are swapped",
                "1.jpg|human|<image> Please provide the bounding box coordinate of the region this sentence describes: a.|"
                        + "gpt|there|is about a box but none is given",
            })
    void brokenRulesAreNamedAndSkippedOrFatal(
            String image, String from1, String value1, String from2, String value2, String reason) throws IOException {
        Path file = write("[%s, %s]".formatted(GOOD, record("\"bad\"", image, from1, value1, from2, value2)));

        LlavaData data = LlavaFiles.read(file, Policy.SKIP);
        assertThat(data.records()).extracting(LlavaRecord::id).containsExactly("a");
        assertThat(data.skipped()).singleElement().satisfies(skipped -> {
            assertThat(skipped.file()).isEqualTo(file.toString());
            assertThat(skipped.index()).isEqualTo(1);
            assertThat(skipped.id()).isEqualTo("bad");
            assertThat(skipped.reason()).contains(reason);
        });
        assertThatThrownBy(() -> LlavaFiles.read(file, Policy.FAIL))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith(file + ", record 1 (id bad): ")
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "7",
                "null",
                "{}",
                "{\"id\": 1.5, \"conversations\": [1, 2]}",
                "{\"conversations\": []}",
                "{\"conversations\": [1, 2]}",
                "{\"image\": [\"a.jpg\"], \"conversations\": []}",
                "{\"conversations\": [{\"from\": \"human\", \"value\": 3}]}",
                "{\"conversations\": [{\"from\": \"human\", \"value\": \"What?\"}]}",
            })
    void recordsOfTheWrongShapeAreSkipped(String record) throws IOException {
        LlavaData data = read("[%s, %s]".formatted(record, GOOD));

        assertThat(data.skipped()).extracting(SkippedRecord::index).containsExactly(0);
        assertThat(data.indices()).containsExactly(1);
    }

    @Test
    void malformedArrayIsFatalWithLineAndRecord() throws IOException {
        Path broken = write("[" + GOOD + ",\n{\"id\": \"b\" \"conversations\": []}]");
        assertThatThrownBy(() -> LlavaFiles.read(broken, Policy.SKIP))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("malformed JSON at line 2,")
                .hasMessageContaining("in record 1:");

        Path cut = write("[" + GOOD + ",\n" + GOOD.substring(0, 40));
        assertThatThrownBy(() -> LlavaFiles.read(cut, Policy.SKIP)).hasMessageContaining("malformed JSON at line 2,");

        Path twice = write("[" + GOOD + "]\n[" + GOOD + "]");
        assertThatThrownBy(() -> LlavaFiles.read(twice, Policy.SKIP))
                .hasMessageContaining("at line 2; remove that part");

        Path key = write("[{\"id\": 1, \"id\": 2, \"conversations\": []}]");
        assertThatThrownBy(() -> LlavaFiles.read(key, Policy.SKIP)).hasMessageContaining("malformed JSON at line 1,");
    }

    @Test
    void malformedLineIsOneBadRecord() throws IOException {
        LlavaData data = read(GOOD + "\n{\"id\": \n" + GOOD);

        assertThat(data.records()).hasSize(2);
        assertThat(data.indices()).containsExactly(0, 2);
        assertThat(data.skipped())
                .singleElement()
                .satisfies(s -> assertThat(s.reason()).startsWith("line 2 is malformed JSON"));
    }

    @Test
    void unusableFilesAreRejected() throws IOException {
        assertThatThrownBy(() -> LlavaFiles.read(dir.resolve("none.json"), Policy.SKIP))
                .hasMessageEndingWith("none.json does not exist; check the path");
        for (String empty : List.of("", "[]", " \n")) {
            Path file = write(empty);
            assertThatThrownBy(() -> LlavaFiles.read(file, Policy.SKIP)).hasMessageContaining("holds no records");
        }
        Path scalar = write("\"text\"");
        assertThatThrownBy(() -> LlavaFiles.read(scalar, Policy.SKIP)).hasMessageContaining("is not a JSON array");
        Path onlyBad = write("[{}, {}]");
        assertThatThrownBy(() -> LlavaFiles.read(onlyBad, Policy.SKIP)).hasMessageContaining("none of the 2 records");
        Path latin = Files.write(
                dir.resolve("latin.jsonl"), GOOD.replace("cat", "k\u00E4tzchen").getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> LlavaFiles.read(latin, Policy.SKIP)).hasMessageContaining("is not UTF-8");
        Path deep = write("[" + "[".repeat(100_000));
        assertThatThrownBy(() -> LlavaFiles.read(deep, Policy.SKIP))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("malformed JSON in record 0");
    }

    @Test
    void symbolicLinksOutOfTheFolderAreRejected() throws IOException {
        Path root = Files.createDirectory(dir.resolve("images"));
        Path outside = Files.writeString(dir.resolve("secret.jpg"), "x");
        Files.writeString(root.resolve("in.jpg"), "x");
        Files.createSymbolicLink(root.resolve("out.jpg"), outside);
        ImageFolder folder = new ImageFolder(root, false);

        assertThat(folder.resolve("in.jpg")).isEqualTo(root.resolve("in.jpg").toRealPath());
        assertThatThrownBy(() -> folder.resolve("out.jpg"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("leads out of");
        assertThat(new ImageFolder(root, true).resolve("out.jpg")).isEqualTo(outside.toRealPath());
        assertThatThrownBy(() -> folder.resolve("../secret.jpg")).hasMessageContaining("leaves the image folder");
        assertThatThrownBy(() -> folder.resolve("none.jpg")).hasMessageContaining("does not exist in");
        assertThatThrownBy(() -> new ImageFolder(dir.resolve("nowhere"), false))
                .hasMessageContaining("check data.images");
    }

    private LlavaData read(String text) throws IOException {
        return LlavaFiles.read(write(text), Policy.SKIP);
    }

    private Path write(String text) throws IOException {
        return Files.writeString(dir.resolve("data.json"), text);
    }

    private static String record(String id, String image, String... turns) {
        return "{\"id\": %s, %s\"conversations\": %s}"
                .formatted(id, image == null ? "" : "\"image\": \"%s\", ".formatted(image), turns(turns));
    }

    private static String turns(String... turns) {
        StringBuilder json = new StringBuilder("[");
        for (int i = 0; i < turns.length; i += 2) {
            json.append(i == 0 ? "" : ", ")
                    .append("{\"from\": \"%s\", \"value\": \"%s\"}".formatted(turns[i], turns[i + 1]));
        }
        return json.append(']').toString();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "what is in ![a cat](cat.jpg)?|true",
                "what is in <img width=9 SRC='cat.jpg'>?|true",
                "is a[i](x) a call, and ![] an array?|false",
                "what does an img tag do?|false"
            })
    void aTextThatShowsAnImageWhichTheRecordDoesNotHaveIsFound(String question, boolean found) {
        List<Turn> turns = List.of(Turn.human(question), Turn.assistant("![so](b.png)"));
        assertThat(new LlavaRecord("1", List.of(), turns).showsImageThatItDoesNotHave())
                .isEqualTo(found);
        assertThat(new LlavaRecord("1", List.of("a.jpg"), turns).showsImageThatItDoesNotHave())
                .isFalse();
    }
}
