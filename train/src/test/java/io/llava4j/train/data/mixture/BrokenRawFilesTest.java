package io.llava4j.train.data.mixture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.train.data.mixture.RawFixture.Built;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever raw files hold, there is one clear error or a counted skip. */
class BrokenRawFilesTest {
    private static final String GQA = "kind: gqa\nfiles: {questions: g.json}\nimages: gqa\nresponse-format: short";
    private static final String LLAVA = "kind: llava\nfiles: {records: l.json}";
    private static final String VG = "kind: visual-genome\nfiles: {regions: r.json, images: i.json}\nimages: vg";
    private static final String REFS = "kind: ref-coco\nfiles: {u-refs: refs.p, u-instances: i.json}";
    private static final String GOOD = "\"ok\": {\"question\": \"What?\", \"imageId\": 5, \"answer\": \"cat\"}";

    @TempDir
    private Path dir;

    private RawFixture raw;

    @BeforeEach
    void makeFixture() {
        raw = new RawFixture(dir);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"1\": {\"question\": \"Wh",
                "{\"1\": {\"question\": \"What?\"",
                "",
                "[]",
                "7",
                "nonsense",
                "{\"1\": {}} trailing",
                "{\"1\": {\"question\": \u0001}}",
                "{\"1\": \"\\ud83d\", }"
            })
    void malformedFileFailsInOneSentence(String content) {
        raw.file("g.json", content);
        assertThatThrownBy(() -> raw.build(GQA))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("g.json")
                .hasMessageMatching("[^\\n]*");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "7",
                "null",
                "[1, 2]",
                "{}",
                "{\"question\": 5, \"imageId\": 5, \"answer\": \"x\"}",
                "{\"question\": \" \", \"imageId\": 5, \"answer\": \"x\"}",
                "{\"question\": \"What?\", \"imageId\": {\"a\": 1}, \"answer\": \"x\"}",
                "{\"question\": \"What?\", \"imageId\": 5, \"answer\": [\"x\"]}",
                "{\"question\": \"What?\", \"imageId\": \"../../etc/passwd\", \"answer\": \"x\"}",
                "{\"question\": \"What?\", \"imageId\": 6, \"answer\": \"\\ud83d\"}",
                "{\"question\": \"Is <image> an image?\", \"imageId\": 6, \"answer\": \"<image>\"}"
            })
    void badRecordIsCountedAndListedAndTheOthersAreBuilt(String record) {
        raw.file("g.json", "{\"bad\": " + record + ", " + GOOD + "}");
        Built built = raw.build(GQA);
        assertThat(built.records()).hasSize(1);
        assertThat(built.leftOut()).hasSize(1);
        assertThat(built.counts().values()).containsExactly(1);
    }

    @Test
    void badRecordEndsTheBuildIfThePolicyIsToFail() {
        raw.file("g.json", "{" + GOOD + ", \"bad\": 7}");
        assertThatThrownBy(() -> raw.build(GQA, "bad-records=fail"))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("g.json, record 1 (id bad): it is not a JSON object");
    }

    @Test
    void encodingsAndShapesAreDetectedByContent() throws IOException {
        Path file = dir.resolve("raw/g.json");
        raw.file("g.json", "\uFEFF{" + GOOD + "}");
        assertThat(raw.build(GQA).records()).hasSize(1);
        Files.write(file, ("{" + GOOD + "}").getBytes(StandardCharsets.UTF_16));
        assertThat(raw.build(GQA).records()).hasSize(1);
        try (GZIPOutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(("{" + GOOD + "}").getBytes(StandardCharsets.UTF_8));
        }
        assertThat(raw.build(GQA).records()).hasSize(1);
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length - 12));
        assertThatThrownBy(() -> raw.build(GQA))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("g.json");
        Files.write(file, ("{" + GOOD.replace("cat", "caf\u00e9") + "}").getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> raw.build(GQA))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("g.json")
                .hasMessageContaining("record 0");
    }

    /** A line is nothing special to a JSON reader, however long. */
    @Test
    void lineOfAHundredMegabytesIsRead() throws IOException {
        Files.createDirectories(dir.resolve("raw"));
        try (BufferedWriter out = Files.newBufferedWriter(dir.resolve("raw/g.json"))) {
            out.write("{" + GOOD);
            String unused =
                    ", \"k%d\": {\"question\": \"Q?\", \"imageId\": 5, \"answer\": \"a\", \"semantic\": \"%s\"}";
            String filler = "x".repeat(1 << 20);
            for (int i = 0; i < 100; i++) {
                out.write(unused.formatted(i, filler));
            }
            out.write("}");
        }
        assertThat(raw.build(GQA).records().getFirst().turns()).hasSize(202);
    }

    @Test
    void deepNestingIsAnError() {
        raw.file("g.json", "{\"a\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}");
        assertThatThrownBy(() -> raw.build(GQA))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("g.json");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"x\": 1e400, \"y\": 1, \"width\": 5, \"height\": 5",
                        "\"x\": 5000, \"y\": 1, \"width\": 5, \"height\": 5",
                "\"x\": 5, \"y\": 1, \"width\": -5, \"height\": 5",
                        "\"x\": \"NaN\", \"y\": 1, \"width\": 5, \"height\": 5",
                "\"x\": 5, \"y\": 1, \"width\": 5"
            })
    void onlyInvalidRegionsAreLeftOut(String numbers) {
        raw.file(
                "r.json",
                "[{\"id\": 1, \"regions\": [{\"phrase\": \"bad\", " + numbers
                        + "}, {\"phrase\": \"good\", \"x\": -3, \"y\": \"1\", \"width\": 900, \"height\": 5}]}]");
        raw.file("i.json", "[{\"image_id\": 1, \"width\": 800, \"height\": 800, \"url\": \"a/VG_100K/1.jpg\"}]");
        Built built = raw.build(VG, "region-form=locate");
        assertThat(built.texts(0).getLast()).isEqualTo("[0.0, 0.0, 1.0, 0.01]");
        assertThat(built.counts()).containsEntry("bad-record", 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-4", "1e30", "\"wide\"", "2.5"})
    void invalidImageSizesAreLeftOut(String width) {
        raw.file(
                "r.json",
                "[{\"id\": 1, \"regions\": [{\"phrase\": \"a\", \"x\": 1, \"y\": 1, \"width\": 9, \"height\": 5}]}]");
        raw.file(
                "i.json", "[{\"image_id\": 1, \"width\": " + width + ", \"height\": 8, \"url\": \"a/VG_100K/1.jpg\"}]");
        assertThatThrownBy(() -> raw.build(VG))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("no record");
    }

    @Test
    void cyclicAndCodeRunningPicklesAreHarmless() {
        raw.file(
                "i.json",
                "{\"images\": [{\"id\": 7, \"file_name\": \"7.jpg\", \"width\": 9, \"height\": 9}], \"annotations\": [{\"id\": 4, \"bbox\": [1, 2, 3, 4]}]}");
        String good =
                "(dp1\nS'ann_id'\nI4\nsS'image_id'\nI7\nsS'split'\nS'train'\nsS'sentences'\n(l(dS'sent'\nS'man'\nsasa";
        raw.file("refs.p", "(lp0\ng0\na" + good + ".");
        Built built = raw.build(REFS);
        assertThat(built.records()).hasSize(1);
        assertThat(built.counts()).containsEntry("bad-record", 1);
        raw.file("refs.p", "cos\nsystem\n(S'true'\ntR.");
        assertThatThrownBy(() -> raw.build(REFS))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("os.system");
    }

    @Test
    void brokenConversationsAreLeftOut() {
        raw.file("l.json", """
                {"id": 1, "image": "a.jpg", "conversations": [{"from": "human", "value": "<image>\\nQ?"}, {"from": "gpt", "value": "A."}]}
                {"id": 2, "image": "/etc/passwd", "conversations": [{"from": "human", "value": "<image>\\nQ?"}, {"from": "gpt", "value": "A."}]}
                {"id": 3, "image": "a.jpg", "conversations": [{"from": "human", "value": "Q?"}, {"from": "gpt", "value": "A."}]}
                {"id": 4, "conversations": 5}
                """);
        Built built = raw.build(LLAVA);
        assertThat(built.records()).singleElement().extracting("id").isEqualTo("1");
        assertThat(built.counts()).containsEntry("bad-record", 3);
    }

    @Test
    void missingFilesAndWrongRulesFailBeforeReading() {
        assertThatThrownBy(() -> raw.build(GQA))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("file questions of source s");
        raw.file("g.json", "{" + GOOD + "}");
        assertThatThrownBy(() -> raw.build(GQA, "s.max-regions=3"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("sources.s.rules.max-regions does not apply to this source");
        assertThatThrownBy(() -> raw.build(GQA, "rules.merge-by-imag=true"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("merge-by-imag is not a rule");
        assertThatThrownBy(() -> raw.build(GQA, "merge-by-image=maybe"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("must be true or false");
        assertThatThrownBy(() -> raw.build("kind: sharegpt\nfiles: {chats: g.json}"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("tokenizer is missing");
        assertThatThrownBy(() -> raw.build("kind: vqa\nfiles: {questions: g.json}"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("sources.s.files.annotations is missing");
    }
}
