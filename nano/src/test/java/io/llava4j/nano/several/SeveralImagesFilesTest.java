package io.llava4j.nano.several;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.eval.Benchmark;
import io.llava4j.eval.Benchmarks;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.score.Score;
import io.llava4j.eval.score.ScoreInput;
import io.llava4j.nano.world.Drawings;
import io.llava4j.nano.world.Scene;
import io.llava4j.nano.world.SceneObject;
import io.llava4j.nano.world.SceneOptions;
import io.llava4j.nano.world.Sprites;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.LlavaFiles;
import io.llava4j.train.data.Policy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Questions about several images follow from the scenes, and their files are what training and evaluation read. */
class SeveralImagesFilesTest {
    private static final SeveralImagesOptions OPTIONS = new SeveralImagesOptions(1, 32, 16, 16);

    @TempDir
    static Path folder;

    private static Path world;

    @BeforeAll
    static void write() {
        world = folder.resolve("several");
        SeveralImagesFiles.write(world, OPTIONS, 2, (done, total) -> {});
    }

    @Test
    void everyAnswerFollowsFromTheScenes() {
        Sprites sprites = new Sprites(Drawings.load());
        SceneOptions scenes = SceneOptions.sources(sprites.drawings().trainingSets());
        ImageSets sets = new ImageSets(new ScenePool(sprites, scenes, 5), 5, "test");
        Map<String, Map<String, Integer>> answers = new HashMap<>();
        for (int i = 0; i < 800; i++) {
            ImageSet set = sets.get(i);
            List<Scene> shown = set.scenes();
            String first = shown.getFirst().objects().getFirst().category().name();
            switch (set.kind()) {
                case "same_2", "same_3" ->
                    assertThat(shown.stream().allMatch(scene -> scene.count(first) == 1))
                            .isEqualTo(set.answer().equals("yes"));
                case "more_2", "more_3" -> {
                    int most = List.of("first", "second", "third").indexOf(set.answer());
                    for (int k = 0; k < shown.size(); k++) {
                        assertThat(shown.get(k).count(first) < shown.get(most).count(first))
                                .isEqualTo(k != most);
                    }
                }
                case "missing_2" -> assertThat(lost(shown.get(0), shown.get(1))).isEqualTo(set.answer());
                case "added_2" -> assertThat(lost(shown.get(1), shown.get(0))).isEqualTo(set.answer());
                case "changed_2" -> {
                    for (int k = 0; k < shown.get(0).objects().size(); k++) {
                        SceneObject before = shown.get(0).objects().get(k);
                        SceneObject after = shown.get(1).objects().get(k);
                        assertThat(!Objects.equals(before.tint(), after.tint()))
                                .isEqualTo(before.category().name().equals(set.answer()));
                    }
                }
                case "odd_3" -> {
                    int odd = List.of("first", "second", "third").indexOf(set.answer());
                    String name = shown.get(odd).objects().getFirst().category().name();
                    assertThat(shown.stream().filter(scene -> scene.count(name) > 0))
                            .hasSize(1);
                }
                default -> throw new AssertionError(set.kind());
            }
            answers.computeIfAbsent(set.kind(), kind -> new HashMap<>()).merge(set.answer(), 1, Integer::sum);
        }
        assertThat(answers).hasSize(8);
        for (String kind : List.of("same_2", "same_3", "more_2", "odd_3")) {
            Map<String, Integer> counts = answers.getOrDefault(kind, Map.of());
            int all = counts.values().stream().mapToInt(Integer::intValue).sum();
            assertThat(counts.values())
                    .as(kind)
                    .allSatisfy(count -> assertThat((double) count / all).isBetween(0.2, 0.65));
        }
    }

    /** The name of the only object that one scene has and the other has not. */
    private static String lost(Scene whole, Scene rest) {
        assertThat(rest.objects()).hasSize(whole.objects().size() - 1);
        return whole.objects().stream()
                .filter(object -> !rest.objects().contains(object))
                .findFirst()
                .orElseThrow()
                .category()
                .name();
    }

    @Test
    void trainingRecordsAreLlavasWithArraysOfImages() throws Exception {
        JsonNode records = JsonMapper.shared().readTree(Files.readString(world.resolve("train.json")));
        assertThat(records).hasSize(16);
        for (JsonNode record : records) {
            assertThat(record.path("image").size()).isBetween(2, 3);
            String asked = record.path("conversations").path(0).path("value").stringValue();
            assertThat(asked.split("<image>", -1)).hasSize(record.path("image").size() + 1);
            assertThat(asked).endsWith("\nSay what each image shows, then answer with a single word or phrase.");
            assertThat(record.path("conversations").path(1).path("value").stringValue())
                    .matches("The first image shows .*\\. The second image shows .*\\. The answer is [a-z ]+\\.");
            record.path("image")
                    .forEach(image -> assertThat(world.resolve("images").resolve(image.stringValue()))
                            .isRegularFile());
        }
        try (LlavaData data = LlavaFiles.read(world.resolve("train.json"), Policy.FAIL)) {
            assertThat(data.records()).hasSize(16);
        }
    }

    @Test
    void theBenchmarkIsAskedWithAllImagesOrTheFirst() throws Exception {
        Path data = world.resolve("several_images");
        Benchmark all = Benchmarks.SEVERAL_IMAGES;
        List<Question> questions = all.questions(data);
        assertThat(questions)
                .hasSize(16)
                .allSatisfy(question -> assertThat(question.images().size()).isBetween(2, 3));
        assertThat(Benchmarks.SEVERAL_IMAGES_FIRST.questions(data))
                .extracting(Question::images)
                .isEqualTo(questions.stream()
                        .map(question -> question.images().subList(0, 1))
                        .toList());
        StringBuilder answers = new StringBuilder();
        try (Stream<String> lines = Files.lines(data.resolve("several_images_answers.jsonl"))) {
            lines.forEach(line -> answers.append(line.replaceFirst(
                                    "\"answer\":\"(.)", "\"text\":\"The first image shows a dog. The answer is $1")
                            .replace("\",\"kind", ". \",\"kind"))
                    .append('\n'));
        }
        Files.writeString(folder.resolve("answers.jsonl"), answers);
        Score score = all.scorer().score(ScoreInput.official(all.files(data), folder.resolve("answers.jsonl")));
        assertThat(score.value()).isEqualTo(100.0);
        assertThat(score.numbers()).containsKeys("accuracy", "same_2", "odd_3");
    }

    @Test
    void theSameOptionsGiveTheSameBytes() throws Exception {
        Path other = folder.resolve("other");
        SeveralImagesFiles.write(other, OPTIONS, 1, (done, total) -> {});
        try (Stream<Path> files = Files.walk(world)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertThat(other.resolve(world.relativize(file).toString())).hasSameBinaryContentAs(file);
            }
        }
    }
}
