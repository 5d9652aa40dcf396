package io.llava4j.train.nano;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.DataException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class NanoWorldTest {
    private static final NanoWorldOptions SMALL = NanoWorldOptions.DEFAULT.withCounts(40, 300, 12, 80);
    private static final Pattern BOX = Pattern.compile("\\[([0-9.]+), ([0-9.]+), ([0-9.]+), ([0-9.]+)]");
    private static final JsonMapper JSON = JsonMapper.builder().build();

    @TempDir
    private static Path temp;

    private static Sprites sprites;
    private static Path world;

    @BeforeAll
    static void write() {
        sprites = new Sprites(Drawings.load());
        world = temp.resolve("world");
        int[] last = new int[2];
        NanoWorld.Result result = NanoWorld.write(world, SMALL, sprites, 3, (done, total) -> {
            last[0] = done;
            last[1] = total;
        });
        assertThat(result.reused()).isFalse();
        assertThat(result.counts()).containsEntry("stage1", 40).containsEntry("eval/images", 80);
        assertThat(last).containsExactly(432, 432);
    }

    @Test
    void oneThreadWritesTheSameBytes() throws IOException {
        Path other = temp.resolve("other");
        NanoWorld.write(other, SMALL, sprites, 1, (done, total) -> {});

        assertThat(hashes(other)).isEqualTo(hashes(world)).hasSizeGreaterThan(380);
    }

    @Test
    void anUpToDateWorldIsKeptAndAnOlderOneReplaced() throws IOException {
        Path folder = temp.resolve("kept");
        NanoWorldOptions tiny = NanoWorldOptions.DEFAULT.withCounts(3, 5, 1, 1);
        NanoWorld.write(folder, tiny, sprites, 1, (done, total) -> {});
        Files.writeString(folder.resolve("mark"), "still the same folder");

        NanoWorld.Result again = NanoWorld.write(folder, tiny, sprites, 1, (done, total) -> {});
        assertThat(again.reused()).isTrue();
        assertThat(again.counts()).containsEntry("stage2", 5);
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
    void aFolderWithOtherThingsIsLeftAlone() throws IOException {
        Path folder = Files.createDirectory(temp.resolve("mine"));
        Files.writeString(folder.resolve("thesis.txt"), "precious");

        assertThatThrownBy(() -> NanoWorld.write(folder, SMALL, sprites, 1, (done, total) -> {}))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("not a nano world");
        assertThat(folder.resolve("thesis.txt")).hasContent("precious");
    }

    @Test
    void stage1HoldsCaptionPairs() throws IOException {
        JsonNode records = JSON.readTree(Files.readString(world.resolve("stage1.json")));
        assertThat(records.size()).isEqualTo(40);
        for (JsonNode record : records) {
            assertThat(record.path("conversations").size()).isEqualTo(2);
            assertThat(human(record, 0)).containsOnlyOnce("<image>").matches("(?s)<image>\\n.+|.+\\n<image>");
            picture(world.resolve("images").resolve(record.path("image").asString()));
        }
    }

    @Test
    void stage2KeepsToTheLayoutsOfTheMixture() throws IOException {
        JsonNode records = JSON.readTree(Files.readString(world.resolve("stage2.json")));
        Map<String, Integer> kinds = new TreeMap<>();
        for (JsonNode record : records) {
            String all = record.path("conversations").toString();
            String first = human(record, 0);
            boolean pictured = record.has("image");
            assertThat(first.contains("<image>")).isEqualTo(pictured);
            if (!pictured) {
                kinds.merge("text", 1, Integer::sum);
            } else if (first.startsWith("<image>\nPlease provide")) {
                kinds.merge("region", 1, Integer::sum);
                checkBoxes(all);
            } else if (first.startsWith("<image>\n" + Conversations.CAPTION)) {
                kinds.merge("caption", 1, Integer::sum);
                assertThat(first.substring(8 + Conversations.CAPTION.length()))
                        .matches("|\nReference OCR token: [a-z]+");
                assertThat(answer(record, 1)).matches("[AOTF].*\\.");
            } else if (first.endsWith("\n" + Conversations.SHORT)) {
                kinds.merge("short", 1, Integer::sum);
                assertThat(all).containsOnlyOnce(Conversations.SHORT);
            } else if (first.endsWith("\n" + Conversations.LETTER)) {
                kinds.merge("letter", 1, Integer::sum);
                assertThat(first).matches("(?s)<image>\\n.+\\?\\nA\\. .+\\nB\\. .+\\nC\\. .+\\nD\\. .+\\n.+");
                assertThat(answer(record, 1)).matches("[ABCD]");
                assertThat(all).containsOnlyOnce(Conversations.LETTER);
            } else {
                kinds.merge("conversation", 1, Integer::sum);
            }
            if (pictured) {
                picture(world.resolve("images").resolve(record.path("image").asString()));
            }
        }
        assertThat(kinds).containsOnlyKeys("text", "region", "caption", "short", "letter", "conversation");
        assertThat(kinds.get("short")).isBetween(170, 250);
    }

    @Test
    void trainingPicturesShowTrainingArtistsOnly() {
        NanoRecords records = new NanoRecords(sprites, SMALL);
        Set<String> sets = new HashSet<>();
        for (int i = 0; i < 300; i++) {
            NanoRecords.Sample first = records.stage1(i);
            NanoRecords.Sample second = records.stage2(i);
            Stream.of(first.scene(), second.scene())
                    .filter(scene -> scene != null)
                    .forEach(scene -> scene.objects().forEach(object -> sets.add(object.set())));
        }
        assertThat(sets).containsExactlyInAnyOrderElementsOf(sprites.drawings().trainingSets());
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
        picture(world.resolve("eval/images/000000000080.jpg"));

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

    private static String answer(JsonNode record, int turn) {
        assertThat(record.path("conversations").path(turn).path("from").asString())
                .isEqualTo("gpt");
        return human(record, turn);
    }

    private static void checkBoxes(String text) {
        Matcher box = BOX.matcher(text);
        assertThat(box.find()).as(text).isTrue();
        do {
            double[] corners = new double[4];
            for (int i = 0; i < 4; i++) {
                assertThat(box.group(i + 1)).matches("0\\.\\d|0\\.\\d[1-9]|1\\.0");
                corners[i] = Double.parseDouble(box.group(i + 1));
            }
            assertThat(corners[0]).isLessThan(corners[2]);
            assertThat(corners[1]).isLessThan(corners[3]);
        } while (box.find());
    }

    private static void picture(Path file) throws IOException {
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
