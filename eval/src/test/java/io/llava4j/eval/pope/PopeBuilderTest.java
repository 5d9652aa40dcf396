package io.llava4j.eval.pope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.Goldens;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionFile;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PopeBuilderTest {
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void holdsForSyntheticScenes(long seed) {
        Random random = new Random(seed);
        List<ImageObjects> scenes = IntStream.range(0, 80)
                .mapToObj(i -> {
                    Set<String> objects = new HashSet<>();
                    for (int n = 1 + random.nextInt(5); n > 0; n--) {
                        objects.add("thing " + (char) ('a' + (int) (26 * Math.pow(random.nextDouble(), 2))));
                    }
                    return new ImageObjects(i + ".png", List.copyOf(objects));
                })
                .toList();
        for (int k = 1; k <= 3; k++) {
            checkProperties(scenes, new PopeBuilder(k, 20, seed));
        }
    }

    @Test
    void holdsForRealPhotographs() {
        List<ImageObjects> photos = CocoInstances.read(Goldens.path("realdata/coco/instances_free.json"));
        int enough = (int) photos.stream().filter(p -> p.objects().size() >= 3).count();
        assertThat(photos).hasSize(87);
        assertThat(enough).isEqualTo(56);
        checkProperties(photos, new PopeBuilder(3, enough, 7));
    }

    @Test
    void popularAndAdversarialAreWhatTheirNamesSay() {
        List<ImageObjects> scenes = List.of(
                new ImageObjects("1", List.of("dog", "ball")),
                new ImageObjects("2", List.of("cat", "car")),
                new ImageObjects("3", List.of("dog", "bone")),
                new ImageObjects("4", List.of("dog", "bone")),
                new ImageObjects("5", List.of("cat", "egg")),
                new ImageObjects("6", List.of("egg", "car")));
        Map<PopeSplit, List<PopeLabel>> built = new PopeBuilder(1, 6, 0).build(scenes);
        // dog is in three scenes, the next most frequent things in two
        assertThat(noQuestion(built, PopeSplit.POPULAR, "5")).isEqualTo("Is there a dog in the image?");
        assertThat(noQuestion(built, PopeSplit.POPULAR, "6")).isEqualTo("Is there a dog in the image?");
        // dogs come with bones twice and with a ball once
        assertThat(noQuestion(built, PopeSplit.ADVERSARIAL, "1")).isEqualTo("Is there a bone in the image?");
        assertThat(noQuestion(built, PopeSplit.ADVERSARIAL, "3")).isEqualTo("Is there a ball in the image?");
        // egg comes with cat and car; car is absent
        assertThat(noQuestion(built, PopeSplit.ADVERSARIAL, "2")).isEqualTo("Is there an egg in the image?");
    }

    @Test
    void sameSeedSameQuestionsOtherSeedOthers() {
        List<ImageObjects> scenes = IntStream.range(0, 40)
                .mapToObj(i -> new ImageObjects(i + ".png", List.of("a" + i % 7, "b" + i % 5)))
                .toList();
        assertThat(new PopeBuilder(2, 30, 5).build(scenes)).isEqualTo(new PopeBuilder(2, 30, 5).build(scenes));
        assertThat(new PopeBuilder(2, 30, 5).build(scenes)).isNotEqualTo(new PopeBuilder(2, 30, 6).build(scenes));
    }

    @Test
    void saysWhyItCannotBuild() {
        List<ImageObjects> scenes = List.of(new ImageObjects("1.png", List.of("dog", "cat")));
        assertThatThrownBy(() -> new PopeBuilder(3, 1, 0).build(scenes))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("only 0 of 1");
        assertThatThrownBy(() -> new PopeBuilder(1, 1, 0).build(scenes))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("1.png leaves fewer than 1");
    }

    @Test
    void writesTheFilesThatTheScorerReads(@TempDir Path folder) {
        List<ImageObjects> scenes = List.of(
                new ImageObjects("1.png", List.of("dog", "owl")), new ImageObjects("2.png", List.of("cat", "car")));
        Map<PopeSplit, List<PopeLabel>> built = new PopeBuilder(2, 2, 3).build(scenes);
        List<Question> questions = PopeFiles.write(folder, built, text -> text + "\nShort.");

        assertThat(QuestionFile.read(folder.resolve(PopeFiles.QUESTIONS))).isEqualTo(questions);
        assertThat(questions).hasSize(24);
        assertThat(new HashSet<>(questions.stream().map(Question::id).toList())).hasSize(24);
        Map<String, List<PopeLabel>> read = PopeScorer.readLabels(folder.resolve(PopeFiles.LABELS));
        built.forEach((split, labels) -> assertThat(read).containsEntry(split.label(), labels));
    }

    @Test
    void articlesAgreeWithThePublishedQuestions() throws Exception {
        Path published = Goldens.path("realdata/POPE/coco_pope_popular.json.gz");
        int compared = 0;
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(published)), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String text = line.replaceAll(".*\"text\": \"([^\"]*)\".*", "$1");
                String object = text.replaceAll("^Is there an? (.*) in the image\\?$", "$1");
                assertThat(PopeBuilder.question(object)).isEqualTo(text);
                compared++;
            }
        }
        assertThat(compared).isEqualTo(3000);
    }

    private static void checkProperties(List<ImageObjects> data, PopeBuilder builder) {
        Map<String, Set<String>> present = new HashMap<>();
        data.forEach(image -> present.put(image.image(), Set.copyOf(image.objects())));
        Map<PopeSplit, List<PopeLabel>> built = builder.build(data);
        assertThat(built).hasSize(3);
        Set<String> images = new HashSet<>();
        built.getOrDefault(PopeSplit.RANDOM, List.of()).forEach(label -> images.add(label.image()));
        assertThat(images).hasSize(builder.images());
        built.forEach((split, labels) -> {
            assertThat(labels).hasSize(2 * builder.objectsPerImage() * builder.images());
            Map<String, List<String>> negatives = new HashMap<>();
            Map<String, Integer> yes = new HashMap<>();
            for (PopeLabel label : labels) {
                String object = label.text().replaceAll("^Is there an? (.*) in the image\\?$", "$1");
                assertThat(present.getOrDefault(label.image(), Set.of()).contains(object))
                        .isEqualTo(label.yes());
                if (label.yes()) {
                    yes.merge(label.image(), 1, Integer::sum);
                } else {
                    negatives
                            .computeIfAbsent(label.image(), i -> new ArrayList<>())
                            .add(object);
                }
            }
            assertThat(yes.values()).allMatch(n -> n == builder.objectsPerImage());
            negatives
                    .values()
                    .forEach(objects -> assertThat(objects)
                            .hasSize(builder.objectsPerImage())
                            .doesNotHaveDuplicates());
            if (split == PopeSplit.POPULAR) {
                checkPopular(data, images, negatives, present);
            }
        });
    }

    /** No absent object that was not asked for may be more frequent than one that was. */
    private static void checkPopular(
            List<ImageObjects> data,
            Set<String> images,
            Map<String, List<String>> negatives,
            Map<String, Set<String>> present) {
        Map<String, Integer> counts = new HashMap<>();
        for (ImageObjects image : data) {
            if (images.contains(image.image())) {
                image.objects().forEach(object -> counts.merge(object, 1, Integer::sum));
            }
        }
        negatives.forEach((image, asked) -> {
            int rarest = asked.stream().mapToInt(counts::get).min().orElseThrow();
            counts.forEach((object, count) -> {
                if (!present.getOrDefault(image, Set.of()).contains(object) && !asked.contains(object)) {
                    assertThat(count).isLessThanOrEqualTo(rarest);
                }
            });
        });
    }

    private static String noQuestion(Map<PopeSplit, List<PopeLabel>> built, PopeSplit split, String image) {
        return built.getOrDefault(split, List.of()).stream()
                .filter(label -> label.image().equals(image) && !label.yes())
                .findFirst()
                .orElseThrow()
                .text();
    }
}
