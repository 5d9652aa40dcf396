package io.llava4j.train.data.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.Policy;
import io.llava4j.train.data.SkippedRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/** Files of JSON as people have them are read, or refused in words about the file. */
class JsonShapeTest {
    private static final String A = record("a");
    private static final String B = record("b");

    @TempDir
    Path dir;

    @Test
    void everyShapeGivesTheSameRecords() throws IOException {
        String without = A.replace("\"id\":\"a\",", "");
        for (String text : List.of(
                "[%s,%s]".formatted(A, B),
                "[%s,%s,]".formatted(A, B),
                "[\n%s,\n%s,\n]\n".formatted(A, B),
                "%s\n%s".formatted(A, B),
                "%s\n\n%s\n\n".formatted(A, B),
                "%s,\n%s,\n".formatted(A, B),
                "\uFEFF%s\r\n%s\r\n".formatted(A, B),
                pretty(A) + "\n" + pretty(B) + "\n",
                pretty(A) + pretty(B),
                "{\"data\":[%s,%s]}".formatted(A, B),
                "{\"annotations\":[%s,%s]}\n".formatted(A, B),
                "{\"version\":1,\"info\":{\"by\":[1,[2]]},\"tags\":[],\"names\":[[\"x\"],\"y\"],\"data\":[%s,%s],\"n\":2}"
                        .formatted(A, B),
                pretty("{\"data\":[%s,%s]}".formatted(A, B)),
                "{\"1\":%s,\"2\":%s}".formatted(A, B),
                "{\"a\":%s,\"b\":%s}".formatted(without, B),
                pretty("{\"a\":%s,\"b\":%s}".formatted(without, B)))) {
            try (LlavaData data = read(text, Policy.FAIL)) {
                assertThat(data.records()).as(text).extracting(LlavaRecord::id).containsExactly("a", "b");
            }
        }
        for (String one : List.of(A, A + "\n", pretty(A), "{\"data\":[%s]}".formatted(A), "{\"a\":%s}".formatted(A))) {
            try (LlavaData data = read(one, Policy.FAIL)) {
                assertThat(data.records()).as(one).extracting(LlavaRecord::id).containsExactly("a");
            }
        }
    }

    @Test
    void aBadLineCostsThatLineAlone() throws IOException {
        for (String bad : List.of("{\"id\": ", "xyz", "{\"id\": 1} {\"id\": 2}", "{'id': 'a'}", "{\"id\": \"a")) {
            for (String text : List.of(A + "\n" + bad + "\n" + B, A + "\n" + B + "\n" + bad)) {
                try (LlavaData data = read(text, Policy.SKIP)) {
                    assertThat(data.records())
                            .as(text)
                            .extracting(LlavaRecord::id)
                            .containsExactly("a", "b");
                    assertThat(data.skipped())
                            .extracting(SkippedRecord::reason)
                            .singleElement()
                            .asString()
                            .startsWith("line ")
                            .contains(" is malformed JSON: ")
                            .endsWith("; repair the line");
                }
            }
        }
        try (LlavaData data = read("{\"id\": \n" + A + "\n" + B, Policy.SKIP)) {
            assertThat(data.records()).extracting(LlavaRecord::id).containsExactly("a", "b");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"images\":[{\"id\":1}],\"annotations\":[{\"caption\":\"x\"}]} | is one object with several lists (images, annotations); write one list of records",
                "{\"train\":[{\"id\":1}],\"test\":[{\"id\":1}]} | is one object with several lists (train, test)",
                "{} | it has no conversations",
                "[{'id':1}] | keys or texts are in single quotes",
                "[{\"id\":1,\"id\":2}] | the key 'id' stands twice in one object",
                "[{\"id\":1 | it ends before it is complete",
                "[{\"id\":1}}] | the character } is not expected here",
                "[{\"id\":None}] | the word 'None' is not JSON",
                "`{\n \"id\": 1,\n \"conversations\": [` | malformed JSON at line 3, column 20, in record 0: it ends before it is complete",
                "<!DOCTYPE html><html></html> | is a web page, not the file itself",
                "`version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1` | is a Git LFS pointer",
            })
    void whatIsNotReadIsToldInPlainWords(String text, String words) {
        assertThatThrownBy(() -> read(text, Policy.SKIP))
                .isInstanceOf(DataException.class)
                .hasMessageContaining(words)
                .message()
                .doesNotContain("REDACTED", "StreamRead", "Feature", "START_", "(code", "FAIL_ON", "jackson")
                .hasSizeLessThan(400);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[\"a\nb\"]",
                "[1] x",
                "{\"a\": tru}",
                "[\"\\x\"]",
                "[01]",
                "{\"id\": \"\u0001\"}",
                "[1 2]",
                "{1: 2}"
            })
    void noMessageSpeaksOfTheParser(String text) {
        assertThatThrownBy(() -> read(text, Policy.SKIP))
                .isInstanceOf(DataException.class)
                .message()
                .doesNotContain("REDACTED", "StreamRead", "Feature", "START_", "(code", "FAIL_ON", "jackson")
                .hasSizeLessThan(400);
    }

    private LlavaData read(String text, Policy policy) throws IOException {
        return LlavaFiles.read(Files.writeString(dir.resolve("d.json"), text), policy);
    }

    private static String record(String id) {
        return "{\"id\":\"%s\",\"conversations\":[{\"from\":\"human\",\"value\":\"What?\"},{\"from\":\"gpt\",\"value\":\"It.\"}]}"
                .formatted(id);
    }

    private static String pretty(String json) {
        JsonMapper mapper = new JsonMapper();
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(mapper.readTree(json));
    }
}
