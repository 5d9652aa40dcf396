package io.llava4j.nano.raw;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.DataException;
import io.llava4j.nano.text.Question;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Sprites;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class NanoWorldTest {
    private static final NanoWorldOptions SMALL = NanoWorldOptions.DEFAULT.withCounts(40, 300, 12, 80);
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    private static Path temp;

    private static Sprites sprites;
    private static Path world;

    @BeforeAll
    static void write() {
        sprites = new Sprites(Drawings.load());
        world = temp.resolve("world");
        long[] last = new long[2];
        NanoWorld.Result result = NanoWorld.write(world, SMALL, sprites, 3, (done, total) -> {
            last[0] = done;
            last[1] = total;
        });
        assertThat(result.reused()).isFalse();
        assertThat(result.counts())
                .containsEntry("lcs", 40)
                .containsEntry("gqa", 33)
                .containsEntry("eval/images", 80);
        int images = RawSources.of(SMALL).stream()
                .filter(part -> part.source().illustrated())
                .mapToInt(RawSources.Part::count)
                .sum();
        assertThat(last).containsExactly(images + 92, images + 92);
    }

    @Test
    void oneThreadWritesTheSameBytes() throws IOException {
        Path other = temp.resolve("other");
        NanoWorld.write(other, SMALL, sprites, 1, (done, total) -> {});

        assertThat(hashes(other)).isEqualTo(hashes(world)).hasSizeGreaterThan(350);
    }

    @Test
    void currentWorldIsKeptAndOlderOneReplaced() throws IOException {
        Path folder = temp.resolve("kept");
        NanoWorldOptions tiny = NanoWorldOptions.DEFAULT.withCounts(3, 5, 1, 1);
        NanoWorld.write(folder, tiny, sprites, 1, (done, total) -> {});
        Files.writeString(folder.resolve("mark"), "still the same folder");

        NanoWorld.Result again = NanoWorld.write(folder, tiny, sprites, 1, (done, total) -> {});
        assertThat(again.reused()).isTrue();
        assertThat(again.counts()).containsEntry("lcs", 3).containsEntry("vg", 1);
        assertThat(folder.resolve("mark")).exists();

        assertThat(NanoWorld.write(folder, tiny.withSeed(9), sprites, 1, (done, total) -> {})
                        .reused())
                .isFalse();
        assertThat(folder.resolve("mark")).doesNotExist();
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files.filter(file -> file.getFileName().toString().startsWith(".kept")))
                    .isEmpty();
        }
    }

    @Test
    void folderWithOtherFilesIsLeftAlone() throws IOException {
        Path folder = Files.createDirectory(temp.resolve("mine"));
        Files.writeString(folder.resolve("thesis.txt"), "precious");

        assertThatThrownBy(() -> NanoWorld.write(folder, SMALL, sprites, 1, (done, total) -> {}))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("something else than a nano world");
        assertThat(folder.resolve("thesis.txt")).hasContent("precious");
    }

    @Test
    void stoppedWorldLeavesNothing() throws IOException {
        Path folder = temp.resolve("stopped");
        assertThatThrownBy(() -> NanoWorld.write(folder, SMALL, sprites, 2, (done, total) -> {
                    if (done > 3) {
                        throw new CancellationException();
                    }
                }))
                .isInstanceOf(CancellationException.class);
        try (Stream<Path> files = Files.list(temp)) {
            assertThat(files.map(Path::getFileName).map(Path::toString)).noneMatch(name -> name.contains("stopped"));
        }
    }

    @Test
    void halfOfTheCaptionPairsShowFewObjects() throws IOException {
        JsonNode records = JSON.readTree(Files.readString(world.resolve("raw/lcs/blip_laion_cc_sbu_558k.json")));
        assertThat(records.size()).isEqualTo(40);
        SourceImages images = images("lcs");
        for (int i = 0; i < 40; i++) {
            assertThat(records.path(i).path("conversations").size()).isEqualTo(2);
            assertThat(human(records.path(i), 0)).containsOnlyOnce("<image>").matches("(?s)<image>\\n.+|.+\\n<image>");
            image(world.resolve("images/lcs")
                    .resolve(records.path(i).path("image").asString()));
            assertThat(images.scene(i).objects()).hasSizeBetween(i % 2 == 0 ? 1 : 2, i % 2 == 0 ? 2 : 5);
        }
    }

    @Test
    void twoFifthsOfTheQuestionsOfVqaAndGqaAskForExistence() {
        for (String source : List.of("vqav2", "gqa")) {
            SourceImages images = images(source);
            int wanted = source.equals("gqa") ? GqaSource.QUESTIONS : 5;
            int all = 0;
            Map<String, Integer> existence = new TreeMap<>();
            for (int i = 0; i < 400; i++) {
                for (Question question : images.ask(images.scene(i), wanted, images.random(i))) {
                    all++;
                    if (question.kind() == Question.Kind.EXISTENCE) {
                        existence.merge(question.answer(), 1, Integer::sum);
                    }
                }
            }
            assertThat(all).as(source).isGreaterThan(400 * (wanted - 1));
            double yes = existence.getOrDefault("yes", 0);
            double no = existence.getOrDefault("no", 0);
            assertThat((yes + no) / all).as(source).isBetween(0.35, 0.45);
            assertThat(yes / (yes + no)).as(source).isBetween(0.45, 0.55);
        }
    }

    @Test
    void trainingImagesShowTrainingArtistsOnly() {
        List<String> training = sprites.drawings().trainingSets();
        assertThat(training).doesNotContainAnyElementsOf(sprites.drawings().heldOutSets());
        for (RawSources.Part part : RawSources.of(SMALL)) {
            SourceImages images = images(part.name());
            for (int i = 0; i < 60; i++) {
                assertThat(images.scene(i).objects())
                        .as(part.name())
                        .allSatisfy(object -> assertThat(training).contains(object.set()));
            }
        }
    }

    @Test
    void noTwoSourcesShareAImage() {
        Set<Integer> numbers = new HashSet<>();
        for (RawSources.Part part : RawSources.of(SMALL)) {
            SourceImages images = images(part.name());
            for (int i = 0; i < part.count(); i++) {
                assertThat(numbers.add(images.number(i))).as(part.name()).isTrue();
            }
        }
    }

    @Test
    void evaluationShowsHeldOutArtistsInCocoFormat() throws IOException {
        JsonNode eval = JSON.readTree(Files.readString(world.resolve("eval/instances.json")));
        Set<String> sets = new HashSet<>();
        for (JsonNode annotation : eval.path("annotations")) {
            sets.add(annotation.path("set").asString());
            JsonNode box = annotation.path("bbox");
            assertThat(box.path(0).asDouble() + box.path(2).asDouble()).isBetween(1.0, 96.0);
            assertThat(box.path(1).asDouble() + box.path(3).asDouble()).isBetween(1.0, 96.0);
        }
        assertThat(sets).containsExactlyInAnyOrderElementsOf(sprites.drawings().heldOutSets());
        assertThat(eval.path("images").size()).isEqualTo(80);
        assertThat(eval.path("images").path(0).path("file_name").asString()).isEqualTo("000000000001.jpg");
        assertThat(eval.path("categories").size()).isGreaterThanOrEqualTo(120);
        image(world.resolve("eval/images/000000000080.jpg"));

        JsonNode validation = JSON.readTree(Files.readString(world.resolve("validation/instances.json")));
        for (JsonNode annotation : validation.path("annotations")) {
            assertThat(sprites.drawings().trainingSets())
                    .contains(annotation.path("set").asString());
        }
        JsonNode captions = JSON.readTree(Files.readString(world.resolve("eval/captions.json")));
        assertThat(captions.path("annotations").size()).isEqualTo(400);
    }

    @Test
    void evaluationQuestionsHaveTenAnswersAndBalancedExistence() throws IOException {
        JsonNode questions = JSON.readTree(Files.readString(world.resolve("eval/vqa_questions.json")))
                .path("questions");
        JsonNode annotations = JSON.readTree(Files.readString(world.resolve("eval/vqa_annotations.json")))
                .path("annotations");
        assertThat(questions.size()).isEqualTo(annotations.size()).isGreaterThan(250);
        Map<String, Integer> existence = new TreeMap<>();
        for (int i = 0; i < annotations.size(); i++) {
            JsonNode annotation = annotations.path(i);
            assertThat(annotation.path("question_id"))
                    .isEqualTo(questions.path(i).path("question_id"));
            assertThat(annotation.path("answers").size()).isEqualTo(10);
            String best = annotation.path("multiple_choice_answer").asString();
            long agreeing = annotation
                    .path("answers")
                    .valueStream()
                    .filter(answer -> answer.path("answer").asString().equals(best))
                    .count();
            assertThat(agreeing).isGreaterThanOrEqualTo(7);
            if (annotation.path("question_type").asString().equals("existence")) {
                assertThat(annotation.path("answer_type").asString()).isEqualTo("yes/no");
                existence.merge(best, 1, Integer::sum);
            }
        }
        assertThat(existence).containsOnlyKeys("yes", "no");
        assertThat(existence.get("yes")).isCloseTo(existence.get("no"), within(1));
    }

    private static String human(JsonNode record, int turn) {
        return record.path("conversations").path(turn).path("value").asString();
    }

    /** What a source's images show, without drawing any. */
    private static SourceImages images(String source) {
        List<RawSources.Part> parts = RawSources.of(SMALL);
        int place = parts.stream().map(RawSources.Part::name).toList().indexOf(source);
        try (RenderQueue none = new RenderQueue(32, 1, 0, (done, total) -> {})) {
            return new SourceImages(temp, parts.get(place), place + 1, sprites, SMALL, none);
        }
    }

    private static void image(Path file) throws IOException {
        BufferedImage image = ImageIO.read(file.toFile());
        assertThat(image).as("%s", file).isNotNull();
        assertThat(image.getWidth()).isEqualTo(96);
        assertThat(image.getHeight()).isEqualTo(96);
    }

    private static Map<String, Integer> hashes(Path root) throws IOException {
        Map<String, Integer> hashes = new TreeMap<>();
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                hashes.put(root.relativize(file).toString(), Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return hashes;
    }
}
