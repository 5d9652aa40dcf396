package io.llava4j.train.data.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A row that speaks of an image is used with it or left out with a reason, and never becomes text only. */
class RowImagesTest {
    private static final String TALK =
            "\"conversations\": [{\"from\": \"human\", \"value\": \"What?\"}, {\"from\": \"gpt\", \"value\": \"A dog.\"}]";
    private static final String CHAT =
            "\"messages\": [{\"role\": \"user\", \"content\": \"What?\"}, {\"role\": \"assistant\", \"content\": \"A dog.\"}]";

    @TempDir
    Path dir;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "images",
                "Image",
                "IMG",
                "img",
                "image_path",
                "imagePath",
                "image-file",
                "file_name",
                "fileName",
                "picture",
                "Photo",
                "photos",
                "image_url",
                "url",
                "path"
            })
    void aKeyForImagesIsUsedWhateverItsNameAndShape(String key) throws IOException {
        for (String row :
                new String[] {TALK, CHAT, "\"question\": \"What?\", \"answer\": \"A dog.\"", "\"caption\": \"A dog.\""
                }) {
            for (String value : new String[] {"\"f/a.jpg\"", "[\"f/a.jpg\"]", "[{\"path\": \"f/a.jpg\"}]"}) {
                if (key.equals("url") || key.equals("path")) {
                    value = "\"f/a.jpg\"";
                }
                try (LlavaData data = read("{\"%s\": %s, %s}".formatted(key, value, row))) {
                    assertThat(data.records()).singleElement().satisfies(record -> {
                        assertThat(record.images()).containsExactly("f/a.jpg");
                        assertThat(record.turns().getFirst().text()).startsWith("<image>\n");
                    });
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"files\": [\"f/a.jpg\"], %s",
                "\"paths\": [{\"path\": \"f/a.jpg\"}], %s",
                "\"conversations\": [{\"from\": \"human\", \"value\": \"What?\", \"image\": \"f/a.jpg\"}, {\"from\": \"gpt\", \"value\": \"A dog.\"}]",
                "\"messages\": [{\"role\": \"user\", \"content\": \"What?\", \"images\": [\"f/a.jpg\"]}, {\"role\": \"assistant\", \"content\": \"A dog.\"}]"
            })
    void imagesInListsAndInTurns(String fields) throws IOException {
        try (LlavaData data = read("{%s}".formatted(fields.formatted(TALK)))) {
            assertThat(data.records()).singleElement().satisfies(record -> {
                assertThat(record.images()).containsExactly("f/a.jpg");
                assertThat(record.turns().getFirst().text()).isEqualTo("<image>\nWhat?");
            });
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "\"attachments\": [{\"type\": \"image\", \"path\": \"a.jpg\"}], %s|its 'attachments' names an image ('a.jpg')",
                "\"more\": {\"shown\": [\"a.png\"]}, %s|its 'more' names an image ('a.png')",
                "\"image\": \"b.jpg\", \"messages\": [{\"role\": \"user\", \"content\": \"What?\", \"images\": [\"a.jpg\"]}, {\"role\": \"assistant\", \"content\": \"A dog.\"}]|other images in its messages than under 'image'",
                "\"conversations\": [{\"from\": \"human\", \"value\": \"What?\"}, {\"from\": \"gpt\", \"value\": \"A dog.\", \"loss\": false}]|turn 2 has 'loss' false, but every answer is learnt alike",
                "\"messages\": [{\"role\": \"user\", \"content\": \"What?\"}, {\"role\": \"assistant\", \"content\": \"A dog.\", \"weight\": 0}]|turn 2 has 'weight' 0"
            })
    void whatWouldBeReadPastIsRefused(String fields, String reason) {
        assertThatThrownBy(() -> read("{%s}".formatted(fields.formatted(TALK)))).hasMessageContaining(reason);
    }

    /** What every answer has anyway is no reason to refuse it, and questions are not learnt. */
    @Test
    void ordinaryWeights() throws IOException {
        String turns =
                "\"conversations\": [{\"from\": \"human\", \"value\": \"What?\", \"loss\": false}, {\"from\": \"gpt\", \"value\": \"A dog.\", \"loss\": true, \"weight\": 1.0}]";
        try (LlavaData data = read("{%s}".formatted(turns))) {
            assertThat(data.records()).hasSize(1);
        }
    }

    @Test
    void severalImagesAndPartsOfMessages() throws IOException {
        try (LlavaData data = read("{\"images\": [\"a.jpg\", \"b.jpg\"], %s}".formatted(TALK))) {
            assertThat(data.records().getFirst().images()).containsExactly("a.jpg", "b.jpg");
            assertThat(data.records().getFirst().turns().getFirst().text()).isEqualTo("<image>\n<image>\nWhat?");
        }
        for (String part : new String[] {
            "\"image\", \"image\": \"a.jpg\"",
            "\"image\", \"path\": \"a.jpg\"",
            "\"image_url\", \"image_url\": {\"url\": \"a.jpg\"}"
        }) {
            try (LlavaData data = read(
                    "{\"messages\": [{\"role\": \"system\", \"content\": \"Be brief.\"}, {\"role\": \"user\", \"content\": [{\"type\": %s}, {\"type\": \"text\", \"text\": \"What?\"}]}, {\"role\": \"assistant\", \"content\": \"A dog.\"}]}"
                            .formatted(part))) {
                assertThat(data.records().getFirst().images()).containsExactly("a.jpg");
                assertThat(data.records().getFirst().turns().getFirst().text()).isEqualTo("<image>\nWhat?");
                assertThat(data.records().getFirst().system()).isEqualTo("Be brief.");
            }
        }
        try (LlavaData data = read("{\"system\": \"Be brief.\", %s}".formatted(TALK))) {
            assertThat(data.records().getFirst().system()).isEqualTo("Be brief.");
        }
    }

    @Test
    void whatCannotBeUsedIsLeftOutWithItsReason() throws IOException {
        assertThat(reason("\"video\": \"a.mp4\", " + TALK)).contains("it is about a video, which cannot be used");
        assertThat(reason("\"screenshot\": \"a.jpg\", " + TALK)).contains("its 'screenshot' names an image ('a.jpg')");
        assertThat(reason("\"image\": \"https://example.org/a.jpg\", " + TALK))
                .contains("is a web address; download it");
        assertThat(reason("\"images\": [{\"width\": 3}], " + TALK))
                .contains("its 'images' is not the name of an image");
        assertThat(reason("\"image\": \"data:image/png;base64,%s\", ".formatted("A".repeat(9000)) + TALK))
                .contains("the image is in the record itself")
                .hasSizeLessThan(300);
    }

    @Test
    void emptyKeysAndOddIdsCostNothing() throws IOException {
        for (String id : new String[] {"null", "1.5", "true", "\"\"", "[1, 2]"}) {
            for (String empty : new String[] {"null", "NaN", "\"\"", "[]"}) {
                try (LlavaData data = read("{\"id\": %s, \"images\": %s, %s}".formatted(id, empty, TALK))) {
                    assertThat(data.records().getFirst().images()).isEmpty();
                }
            }
        }
        try (LlavaData data = read("{\"id\": \"a.jpg\", \"image\": NaN, %s}".formatted(TALK))) {
            assertThat(data.records().getFirst().images()).isEmpty();
        }
    }

    @Test
    void longTextsWithoutPunctuationAreNoImages() throws IOException {
        for (String words : new String[] {"one two three ", "a ", "abcd", "YES "}) {
            try (LlavaData data = read("{\"id\": 1, \"rationale\": \"%s\", %s}".formatted(words.repeat(200), TALK))) {
                assertThat(data.records().getFirst().images()).as(words).isEmpty();
            }
        }
    }

    @Test
    void answersOfTablesAreTextsNumbersOrListsOfThem() throws IOException {
        for (String row : new String[] {
            "\"answer\": [\"3\"]",
            "\"answer\": 3",
            "\"answers\": [\"3\", \"3\", \"4\"]",
            "\"answers\": [3, 3, 4]",
            "\"answers\": [{\"answer\": \"3\"}]"
        }) {
            try (LlavaData data = read("{\"question\": \"How many?\", %s}".formatted(row))) {
                assertThat(data.records().getFirst().turns().getLast().text())
                        .as(row)
                        .isEqualTo("3");
            }
        }
        assertThat(reason("\"question\": \"How many?\", \"answer\": null"))
                .isEqualTo("its answer is empty; write one or remove the row");
        assertThat(reason("\"question\": \"How many?\", \"answer\": {\"a\": 1}"))
                .contains("its answer is an object, not a text");
        assertThat(reason("\"question\": \"How many?\", \"answer\": \"\"")).contains("answer 1 is empty; write one");
    }

    private String reason(String row) throws IOException {
        try (LlavaData data = read("{%s}\n{%s}".formatted(row, TALK))) {
            assertThat(data.records())
                    .singleElement()
                    .satisfies(record -> assertThat(record.images()).isEmpty());
            return data.skipped().getFirst().reason();
        }
    }

    private LlavaData read(String lines) throws IOException {
        return LlavaFiles.read(Files.writeString(dir.resolve("d.jsonl"), lines), Policy.SKIP);
    }
}
