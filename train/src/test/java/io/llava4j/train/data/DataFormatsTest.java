package io.llava4j.train.data;

import static io.llava4j.text.ResponseFormat.LETTER;
import static io.llava4j.text.ResponseFormat.SHORT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.text.ResponseFormat;
import io.llava4j.text.Turn;
import io.llava4j.train.data.format.ImageFolder;
import io.llava4j.train.data.format.Images;
import io.llava4j.train.data.format.QuestionRows;
import io.llava4j.train.data.format.TarWriter;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every form a data set may come in gives the same records, and what is broken in it is named or counted. */
class DataFormatsTest {
    private static final String RECORD =
            "{\"id\":\"%s\",\"image\":\"%s\",\"conversations\":[{\"from\":\"human\",\"value\":\"<image>\\nWhat?\"},{\"from\":\"gpt\",\"value\":\"A cat.\"}]}";
    private static final List<Turn> TURNS = List.of(Turn.human("<image>\nWhat?"), Turn.assistant("A cat."));

    @TempDir
    private Path dir;

    @Test
    void hugeAndNonUtf8LinesAreSkipped() throws IOException {
        Path file = dir.resolve("data.jsonl");
        try (OutputStream out = Files.newOutputStream(file)) {
            out.write((RECORD.formatted("a", "1.jpg") + "\n{\"id\": \"").getBytes(StandardCharsets.UTF_8));
            byte[] much = new byte[1 << 20];
            java.util.Arrays.fill(much, (byte) 'x');
            for (int i = 0; i < 100; i++) {
                out.write(much);
            }
            out.write("\"}\n{\"id\": \"caf".getBytes(StandardCharsets.UTF_8));
            out.write(0xE9); // é in Latin-1
            out.write(("\"}\n" + RECORD.formatted("b", "2.jpg")).getBytes(StandardCharsets.UTF_8));
        }
        LlavaData data = LlavaFiles.read(file, Policy.SKIP);
        assertThat(data.records()).extracting(LlavaRecord::id).containsExactly("a", "b");
        assertThat(data.skipped())
                .extracting(SkippedRecord::reason)
                .satisfiesExactly(
                        huge -> assertThat(huge)
                                .startsWith("line 2 has 104857610 bytes, more than a record may have (16777216)"),
                        latin -> assertThat(latin).isEqualTo("line 3 is not UTF-8; convert it"));
    }

    @Test
    void arrayInOneLongLineIsRead() throws IOException {
        Path file = dir.resolve("data.json.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            String record = RECORD.formatted("a", "1.jpg") + ",";
            out.write('[');
            for (int i = 0; i < 20_000; i++) {
                out.write(record.getBytes(StandardCharsets.UTF_8));
            }
            out.write((RECORD.formatted("b", "2.jpg") + "]").getBytes(StandardCharsets.UTF_8));
        }
        assertThat(LlavaFiles.read(file, Policy.FAIL).records()).hasSize(20_001);
    }

    @Test
    void tablesOfQuestionsAndOfCaptions() throws IOException {
        Path table = Files.writeString(dir.resolve("own.csv"), """
                \uFEFFImage;Question;Answer;note
                1.jpg;What?;A cat.;fine
                ;"Say ""hi""
                twice";hi hi;
                2.jpg;broken
                3.jpg;Where?;;
                """);
        LlavaData data = LlavaFiles.read(table, Policy.SKIP);
        assertThat(data.records())
                .extracting(LlavaRecord::images, LlavaRecord::turns)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(List.of("1.jpg"), TURNS),
                        org.assertj.core.groups.Tuple.tuple(
                                List.of(), List.of(Turn.human("Say \"hi\"\ntwice"), Turn.assistant("hi hi"))));
        assertThat(data.skipped())
                .extracting(SkippedRecord::reason)
                .satisfiesExactly(
                        fields -> assertThat(fields).startsWith("line 5 has 2 fields where the header has 4"),
                        empty -> assertThat(empty)
                                .isEqualTo("line 6, column answer: the field is empty; fill it or remove the line"));

        Path captions = Files.writeString(dir.resolve("own.tsv"), "file_name\ttext\n1.jpg\ta, cat\n");
        assertThat(LlavaFiles.read(captions, Policy.FAIL).records().getFirst().turns())
                .containsExactly(
                        Turn.human("<image>\nProvide a brief description of the given image."),
                        Turn.assistant("a, cat"));

        Path odd = Files.writeString(dir.resolve("odd.csv"), "photo,label\n1.jpg,cat\n");
        assertThatThrownBy(() -> LlavaFiles.read(odd, Policy.SKIP))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("has the columns [photo, label]; name them image, question, answer");
        Path open = Files.writeString(dir.resolve("open.csv"), "image,caption\n1.jpg,\"never closed\n2.jpg,b\n");
        assertThatThrownBy(() -> LlavaFiles.read(open, Policy.SKIP)).hasMessageContaining("is malformed after line 1");
        Path latin = Files.write(
                dir.resolve("latin.csv"), "image,caption\n1.jpg,caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> LlavaFiles.read(latin, Policy.SKIP)).hasMessageContaining("is not UTF-8");
    }

    @Test
    void rowsOfOneImageMakeOneConversation() throws IOException {
        Path table = Files.writeString(dir.resolve("rows.csv"), """
                image,question,answer,response_format
                1.jpg,What?,A cat.,
                2.jpg,Is it?,yes,short
                1.jpg,Where?,There.,
                ,What?,Nothing.,
                2.jpg,How many?,two,Short
                2.jpg,"Which?
                A. one
                B. two",B,letter
                1.jpg,What?,A cat.,
                1.jpg,Why?,Who knows.,essay
                ,What?,Nothing.,
                """);
        LlavaData data = LlavaFiles.read(table, Policy.SKIP);
        assertThat(data.records())
                .extracting(LlavaRecord::turns)
                .containsExactly(
                        List.of(
                                Turn.human("<image>\nWhat?"),
                                Turn.assistant("A cat."),
                                Turn.human("Where?"),
                                Turn.assistant("There.")),
                        List.of(
                                Turn.human("<image>\nIs it?\n" + SHORT.prompt()),
                                Turn.assistant("yes"),
                                Turn.human("How many?"),
                                Turn.assistant("two")),
                        List.of(Turn.human("What?"), Turn.assistant("Nothing.")),
                        List.of(Turn.human("<image>\nWhich?\nA. one\nB. two\n" + LETTER.prompt()), Turn.assistant("B")),
                        List.of(Turn.human("What?"), Turn.assistant("Nothing.")));
        assertThat(data.indices()).containsExactly(0, 1, 3, 5, 8);
        assertThat(data.joined()).isEqualTo(2);
        assertThat(data.repeated())
                .extracting(SkippedRecord::index, SkippedRecord::reason)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(
                        6, "it says the same about the same image as record 0, so it is used once"));
        assertThat(data.skipped())
                .extracting(SkippedRecord::reason)
                .containsExactly(
                        "its response_format is 'essay'; write one of none, short, letter, short-or-unanswerable");
        QuestionRows alone = new QuestionRows(false, SHORT);
        assertThat(LlavaFiles.read(table, Policy.SKIP, alone).records())
                .hasSize(8)
                .first()
                .satisfies(record ->
                        assertThat(record.turns().getFirst().text()).isEqualTo("<image>\nWhat?\n" + SHORT.prompt()));
        assertThatThrownBy(() -> new QuestionRows(true, ResponseFormat.BOX))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("short, letter");
    }

    @Test
    void linesOfQuestionsWithManyAnswers() throws IOException {
        Path file = Files.writeString(dir.resolve("vqa.jsonl"), """
                {"question_id": 7, "image": "1.jpg", "question": "How many?", "answers": ["3", "2", {"answer": "2"}]}
                {"image": "2.jpg", "messages": [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What?"}]}, {"role": "assistant", "content": "A cat."}]}
                """);
        List<LlavaRecord> records = LlavaFiles.read(file, Policy.FAIL).records();
        assertThat(records.getFirst())
                .isEqualTo(new LlavaRecord(
                        "7", List.of("1.jpg"), List.of(Turn.human("<image>\nHow many?"), Turn.assistant("2"))));
        assertThat(records.getLast().turns()).isEqualTo(TURNS);
    }

    @Test
    void captionedFolder() throws IOException {
        Files.createDirectories(dir.resolve("photos/sub"));
        Files.write(dir.resolve("photos/a.PNG"), png(0xFF0000));
        Files.writeString(dir.resolve("photos/a.txt"), " a red square \n");
        Files.write(dir.resolve("photos/sub/b.jpg"), png(0x00FF00));
        try (LlavaData data = LlavaFiles.read(dir.resolve("photos"), Policy.SKIP)) {
            LlavaRecord record = data.records().getFirst();
            assertThat(record.images()).containsExactly("a.PNG");
            assertThat(record.turns().getLast().text()).isEqualTo("a red square");
            assertThat(data.images(null, false).decode("a.PNG").pixels()).startsWith((byte) 255, (byte) 0, (byte) 0);
            assertThat(data.skipped())
                    .extracting(SkippedRecord::reason)
                    .containsExactly("image 'sub/b.jpg' has no caption; write one of at most 1 MiB into b.txt");
        }
        Files.createDirectory(dir.resolve("empty"));
        assertThatThrownBy(() -> LlavaFiles.read(dir.resolve("empty"), Policy.SKIP))
                .hasMessageContaining("holds no .tar, no .parquet, no metadata.csv and no images");
    }

    @Test
    void parquetWithStructsAndBytes() {
        try (LlavaData data = LlavaFiles.read(resource("llava.parquet"), Policy.FAIL)) {
            assertThat(data.records()).extracting(LlavaRecord::id).containsExactly("a", "b", "c", "d");
        } catch (DataException e) {
            // Record e has an image that no question names, as the rules forbid.
            assertThat(e).hasMessageContaining("record 4 (id e): it has an image but no question contains <image>");
        }
        try (LlavaData data = LlavaFiles.read(resource("llava.parquet"), Policy.SKIP)) {
            assertThat(data.records())
                    .extracting(LlavaRecord::images)
                    .containsExactly(
                            List.of("red.png"), List.of("llava.parquet/1"), List.of(), List.of("llava.parquet/3"));
            assertThat(data.records().get(1).turns().getLast().text()).isEqualTo("Bläu");
            Images images = data.images(null, false);
            assertThat(images.decode("red.png").pixels()).startsWith((byte) 255, (byte) 0, (byte) 0);
            assertThat(images.decode("llava.parquet/3").pixels()).startsWith((byte) 0, (byte) 255, (byte) 0);
            assertThatThrownBy(() -> images.decode("other.png")).hasMessageContaining("is not in the archive");
        }
        try (LlavaData data = LlavaFiles.read(resource("vqa-bytes.parquet"), Policy.FAIL)) {
            assertThat(data.records().getFirst())
                    .isEqualTo(new LlavaRecord(
                            "7",
                            List.of("vqa-bytes.parquet/0"),
                            List.of(Turn.human("<image>\nWhat colour?"), Turn.assistant("red"))));
            assertThat(data.images(null, false).decode("vqa-bytes.parquet/1").width())
                    .isEqualTo(6);
        }
        try (LlavaData data = LlavaFiles.read(resource("cauldron.parquet"), Policy.SKIP)) {
            assertThat(data.records().getFirst().turns())
                    .containsExactly(
                            Turn.human("<image>\nColour?"),
                            Turn.assistant("Red."),
                            Turn.human("Sure?"),
                            Turn.assistant("Yes."));
            assertThat(data.skipped()).isEmpty();
            assertThat(data.records()).anySatisfy(record -> {
                assertThat(record.images()).hasSizeGreaterThan(1).doesNotHaveDuplicates();
                assertThat(record.turns().getFirst().text().split("<image>", -1))
                        .hasSize(record.images().size() + 1);
            });
        }
    }

    @Test
    void parquetCompressedWithZstd() {
        try (LlavaData data = LlavaFiles.read(resource("zstd.parquet"), Policy.FAIL)) {
            assertThat(data.records()).extracting(LlavaRecord::id).isNotEmpty().doesNotContainNull();
        }
    }

    @Test
    void damagedParquetFailsInOneSentence() throws IOException {
        byte[] good = Files.readAllBytes(resource("llava.parquet"));
        java.util.SplittableRandom random = new java.util.SplittableRandom(5);
        int refused = 0;
        for (int trial = 0; trial < 20; trial++) {
            byte[] bad = good.clone();
            for (int k = 0; k < 1 + trial % 4; k++) {
                bad[4 + random.nextInt(bad.length - 4)] = (byte) random.nextInt(256);
            }
            Path file = dir.resolve("damaged-" + trial + ".parquet");
            Files.write(file, trial % 10 == 0 ? java.util.Arrays.copyOf(bad, random.nextInt(4, bad.length)) : bad);
            try (LlavaData data = LlavaFiles.read(file, Policy.SKIP)) {
                assertThat(data.records().size() + data.skipped().size()).isPositive();
            } catch (DataException e) {
                assertThat(e.getMessage()).doesNotContain("\n");
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(6);
    }

    @Test
    void shardsRoundTripWithTheSameBytes() throws IOException {
        Files.createDirectories(dir.resolve("images/coco"));
        Files.write(dir.resolve("images/coco/1.jpg"), png(0xFF0000));
        Files.write(dir.resolve("images/2.jpg"), png(0x0000FF));
        List<LlavaRecord> records = List.of(
                new LlavaRecord("a", List.of("coco/1.jpg"), TURNS),
                new LlavaRecord("t", List.of(), List.of(Turn.human("Hi ☃"), Turn.assistant("Hello"))),
                new LlavaRecord("b", List.of("2.jpg"), TURNS),
                new LlavaRecord("c", List.of("coco/1.jpg"), TURNS));
        Images folder = new ImageFolder(dir.resolve("images"), false);
        for (String name : List.of("one", "two")) {
            LlavaWriter.writeShards(
                    dir.resolve(name), records, position -> Map.of(), folder, 2_000, (done, total) -> {});
        }
        try (LlavaData data = LlavaFiles.read(dir.resolve("one"), Policy.FAIL)) {
            assertThat(data.records()).isEqualTo(records);
            assertThat(data.images(null, false).bytes("2.jpg")).isEqualTo(png(0x0000FF));
        }
        assertThat(dir.resolve("one/000001.tar")).hasSameBinaryContentAs(dir.resolve("two/000001.tar"));
        try (LlavaData data = LlavaFiles.read(dir.resolve("one/{000001..000001}.tar"), Policy.FAIL)) {
            assertThat(data.records()).isNotEmpty().hasSizeLessThan(4);
        }
        assertThatThrownBy(() -> LlavaWriter.writeShards(
                        dir.resolve("three"),
                        List.of(new LlavaRecord("x", List.of("none.jpg"), TURNS)),
                        position -> Map.of(),
                        folder,
                        1 << 20,
                        (done, total) -> {}))
                .hasMessageContaining("'none.jpg' does not exist");
        assertThat(dir.resolve("three")).doesNotExist();

        for (String name : List.of("out.json", "out.jsonl")) {
            LlavaWriter.write(dir.resolve(name), records);
            assertThat(LlavaFiles.read(dir.resolve(name), Policy.FAIL).records())
                    .isEqualTo(records);
        }
    }

    @Test
    void maliciousTarEntriesAreRejected() throws IOException {
        Path tar = dir.resolve("tricks.tar");
        try (TarWriter out = TarWriter.create(tar)) {
            out.add("../up.jpg", png(0));
            out.add("/etc/root.json", RECORD.formatted("r", "x").getBytes(StandardCharsets.UTF_8));
            out.add("1.txt", "a caption".getBytes(StandardCharsets.UTF_8));
            out.add("1.png", png(0xFF0000));
            out.add("2.jpg", png(0));
            out.add("3.json", "{\"id\": ".getBytes(StandardCharsets.UTF_8));
            out.add("4.json", RECORD.formatted("four", "../../x.jpg").getBytes(StandardCharsets.UTF_8));
            out.add("4.jpg", png(0));
            out.add("5.json", "[]".getBytes(StandardCharsets.UTF_8));
        }
        try (LlavaData data = LlavaFiles.read(tar, Policy.SKIP)) {
            assertThat(data.records()).singleElement().satisfies(record -> {
                assertThat(record.images()).containsExactly("tricks.tar/1.png");
                assertThat(record.turns().getLast().text()).isEqualTo("a caption");
            });
            assertThat(data.skipped())
                    .extracting(SkippedRecord::reason)
                    .satisfiesExactly(
                            up -> assertThat(up)
                                    .contains("'../up.jpg' of tricks.tar: image path")
                                    .contains("leaves"),
                            root -> assertThat(root).contains("'/etc/root.json'"),
                            lone -> assertThat(lone).contains("sample '2' of tricks.tar: it has neither a .json"),
                            cut -> assertThat(cut).contains("sample '3' of tricks.tar: its .json is malformed"),
                            four -> assertThat(four).contains("'../../x.jpg' leaves the image folder"),
                            five -> assertThat(five).contains("its .json is not an object"));
        }
        try (RandomAccessFile file = new RandomAccessFile(tar.toFile(), "rw")) {
            file.setLength(file.length() - 1_600);
        }
        assertThatThrownBy(() -> LlavaFiles.read(tar, Policy.SKIP)).hasMessageContaining("ends within");
        try (RandomAccessFile file = new RandomAccessFile(tar.toFile(), "rw")) {
            file.seek(124);
            file.write("77777777777".getBytes(StandardCharsets.US_ASCII));
        }
        assertThatThrownBy(() -> LlavaFiles.read(tar, Policy.SKIP)).hasMessageContaining("has a damaged header");
    }

    private static byte[] png(int rgb) throws IOException {
        BufferedImage image = new BufferedImage(6, 4, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 24; i++) {
            image.setRGB(i % 6, i / 6, rgb);
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    private static Path resource(String name) {
        return Path.of(Objects.requireNonNull(DataFormatsTest.class.getResource("/parquet/" + name))
                .getPath());
    }
}
