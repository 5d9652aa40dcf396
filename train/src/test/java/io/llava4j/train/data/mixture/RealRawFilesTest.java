package io.llava4j.train.data.mixture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.train.data.mixture.RawFixture.Built;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The readers on the first records of the official files. */
class RealRawFilesTest {
    private static final Path REAL = Path.of("../../shared/realdata");
    private static final Path SAMPLES = REAL.resolve("annotation-samples");

    @TempDir
    private Path dir;

    private RawFixture raw;

    @BeforeEach
    void requireData() {
        assumeTrue(Files.isDirectory(SAMPLES), "the real data in ../shared is missing");
        raw = new RawFixture(dir);
    }

    private Path take(Path file, String as) throws IOException {
        Path copy = dir.resolve("raw").resolve(as);
        Files.createDirectories(copy.getParent());
        return Files.copy(file, copy);
    }

    @Test
    void visualGenome() throws IOException {
        take(
                SAMPLES.resolve("visual_genome/region_descriptions.json/region_descriptions.json_samples.json.gz"),
                "r.json");
        take(SAMPLES.resolve("visual_genome/image_data.json/image_data.json_samples.json"), "i.json");
        Built built = raw.build("kind: visual-genome\nfiles: {regions: r.json, images: i.json}\nimages: vg");
        assertThat(built.records())
                .hasSize(100)
                .allMatch(record -> record.turns().size() <= 20);
        assertThat(built.records().getFirst().images()).containsExactly("vg/VG_100K_2/1.jpg");
        assertThat(raw.build(
                                "kind: visual-genome\nfiles: {regions: r.json, images: i.json}\nimages: vg",
                                "region-form=describe",
                                "max-regions=0")
                        .texts(0))
                // x 421, y 57, 82 wide, 139 high in an image of 800 by 600, which gets 100 rows above it
                .startsWith(
                        "<image>\nPlease provide a short description for this region: [0.53, 0.2, 0.63, 0.37].",
                        "The clock is green in colour.");
    }

    @Test
    void vqaAnnotationsJoinedWithQuestionsMadeForThem() throws IOException {
        Path annotations = take(
                SAMPLES.resolve("vqa2/v2_Annotations_Train_mscoco/v2_mscoco_train2014_annotations.json_samples.json"),
                "a.json");
        JsonNode all = JsonMapper.builder().build().readTree(annotations).path("annotations");
        raw.file(
                "q.json",
                StreamSupport.stream(all.spliterator(), false)
                        .map(a -> "{\"question_id\": %s, \"image_id\": %s, \"question\": \"What?\"}"
                                .formatted(a.path("question_id"), a.path("image_id")))
                        .collect(Collectors.joining(",", "{\"questions\": [", "]}")));
        Built built = raw.build("kind: vqa\nfiles: {questions: q.json, annotations: a.json}\nimages: coco/train2017");
        assertThat(built.manifest().pairs()).isEqualTo(100);
        assertThat(built.records().getFirst().images()).containsExactly("coco/train2017/000000458752.jpg");
        assertThat(built.texts(0).get(1)).isEqualTo("net");
    }

    @Test
    void textCapsAndCocoCaptions() throws IOException {
        take(SAMPLES.resolve("textcaps/TextCaps_0.1_train.json_samples.json"), "t.json");
        Built caps = raw.build(
                "kind: text-caps\nfiles: {captions: t.json}\nimages: textvqa/train_images\nresponse-format: caption");
        assertThat(caps.records()).hasSize(100);
        assertThat(caps.texts(0).get(1)).isEqualTo("Five Listerine Zero mouthwash bottles on a store shelf");
        take(REAL.resolve("coco/captions_free.json"), "c.json");
        Built coco = raw.build(
                "kind: coco-captions\nfiles: {captions: c.json}\nimages: coco\nresponse-format: caption",
                "captions=each");
        assertThat(coco.records()).hasSize(555);
        assertThat(raw.build("kind: coco-captions\nfiles: {captions: c.json}\nimages: coco")
                        .records())
                .hasSize(111);
    }

    @Test
    void chatsOfVicunaAndLlavaRecordsOfScienceQa() throws IOException {
        take(REAL.resolve("FastChat/dummy_conversation.json"), "s.json");
        Built chats = raw.build("kind: sharegpt\nfiles: {chats: s.json}", "max-tokens=0", "s.blocked-words=false");
        assertThat(chats.manifest().sources().getFirst().items()).isEqualTo(500);
        assertThat(chats.records().size() + chats.leftOut().size()).isEqualTo(500);
        take(REAL.resolve("ScienceQA/llava_val_CQM-A.json.gz"), "q.json");
        Built science = raw.build("kind: llava\nfiles: {records: q.json}");
        assertThat(science.records().size() + science.leftOut().size())
                .isEqualTo(science.manifest().sources().getFirst().items()
                        + science.counts().getOrDefault("bad-record", 0));
        assertThat(science.records()).hasSizeGreaterThan(2000);
    }
}
