package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.LlavaException;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.feature.ImageFeatures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs whose image features come from a cache. */
class FeatureCacheTest {
    private static final int IMAGES = 24;

    @TempDir
    private Path root;

    private TinyRun tiny;
    private Path cache;

    @BeforeEach
    void write() {
        tiny = new TinyRun(root);
        cache = root.resolve("cache");
    }

    @ParameterizedTest
    @ValueSource(strings = {"fp32", "bf16"})
    void warmCacheLeavesTheSameBytesAsColdOne(String precision) throws IOException {
        Map<String, String> settings = Map.of("engine.precision", precision);
        Trained cold = train("cold", settings);
        Trained warm = train("warm", settings);
        assertThat(cold.sum().cached()).isLessThan(cold.sum().images());
        assertThat(warm.sum().cached())
                .isEqualTo(warm.sum().images())
                .isEqualTo(cold.sum().images());
        assertThat(warm.model()).isEqualTo(cold.model());
        assertThat(files())
                .hasSizeLessThanOrEqualTo(IMAGES)
                .allMatch(file -> file.toString().endsWith(".features"));

        settings = new HashMap<>(settings);
        settings.put("data.feature-cache", "");
        Trained without = train("without", settings);
        assertThat(without.sum().cached()).isZero();
        // The tower computes one image instead of several at a time, which may change rounding, but nothing else.
        assertThat(without.losses().getFirst()).isCloseTo(cold.losses().getFirst(), within(1e-5));
    }

    @Test
    void anotherProcessOrderOfStepsFindsTheSameFiles() throws IOException {
        train("one", Map.of());
        int before = files().size();
        Trained other = train("other", Map.of("seed", "43", "schedule.max-steps", "9"));
        assertThat(other.sum().cached()).isPositive();
        assertThat(files().size()).isBetween(before, IMAGES);
    }

    @Test
    void damagedFilesAreCountedAndReplaced() throws IOException {
        Trained cold = train("cold", Map.of());
        List<Path> files = files();
        Files.write(files.get(0), new byte[] {1, 2, 3});
        byte[] content = Files.readAllBytes(files.get(1));
        content[content.length / 2] ^= 1;
        Files.write(files.get(1), content);
        Files.write(files.get(2), new byte[0]);

        Trained again = train("again", Map.of());
        assertThat(again.model()).isEqualTo(cold.model());
        assertThat(again.sum().damaged()).isBetween(3, 6); // an image may be read again before its file is replaced
        Trained warm = train("warm", Map.of());
        assertThat(warm.sum().damaged()).isZero();
        assertThat(warm.sum().cached()).isEqualTo(warm.sum().images());
        assertThat(Files.readString(root.resolve("again/metrics.jsonl"))).contains("damaged_cache_files");
    }

    @ParameterizedTest
    @CsvSource({
        "engine.precision, bf16",
        "data.image-aspect-ratio, square",
        "data.exif-orientation, true",
        "model.select-layer, -1",
        "model.vision-tower, tower-stem"
    })
    void whatDecidesTheFeaturesIsPartOfTheKey(String key, String value) throws IOException {
        train("one", Map.of());
        int before = files().size();
        String changed = key.equals("model.vision-tower") ? root.resolve(value).toString() : value;
        train("other", Map.of(key, changed));
        assertThat(files()).hasSize(2 * before);
    }

    @Test
    void trainedTowerIsRefused() {
        assertThatThrownBy(() -> recipe("run", Map.of("trainable.vision-tower", "true")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("data.feature-cache keeps the features of a frozen vision tower");
    }

    @Test
    void resumedRunMayUseAnotherFolder() throws IOException {
        Trained whole = train("whole", Map.of());
        TrainConfig config = recipe("parts", Map.of());
        int[] left = {5};
        TrainingRun.run(config, Objectives::create, false, step -> {}, () -> --left[0] == 0);
        TrainConfig elsewhere = recipe(
                "parts", Map.of("data.feature-cache", root.resolve("elsewhere").toString()));
        assertThat(TrainingRun.run(elsewhere, Objectives::create, true, step -> {}, () -> false))
                .isTrue();
        assertThat(Files.readAllBytes(elsewhere.output().resolve("model/model.safetensors")))
                .isEqualTo(whole.model());
    }

    @Test
    void folderThatIsAFileIsRefused() throws IOException {
        Files.writeString(cache, "");
        assertThatThrownBy(() -> train("run", Map.of()))
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining("data.feature-cache")
                .hasMessageContaining("cannot be created");
    }

    @Test
    void cacheThatCannotBeWrittenLeavesTheRunAsItIs() throws IOException {
        Trained whole = train("whole", Map.of());
        Path blocked = root.resolve("blocked");
        Files.createDirectories(blocked);
        for (int i = 0; i < 256; i++) {
            Files.writeString(blocked.resolve("%02x".formatted(i)), "a file where a folder should be");
        }
        Trained run = train("run", Map.of("data.feature-cache", blocked.toString()));
        assertThat(run.model()).isEqualTo(whole.model());
    }

    /** What a run leaves. */
    private record Trained(byte[] model, ImageFeatures sum, List<Double> losses) {}

    private Trained train(String name, Map<String, String> settings) throws IOException {
        TrainConfig config = recipe(name, settings);
        List<TrainingListener.Step> steps = new ArrayList<>();
        TrainingRun.run(config, Objectives::create, false, steps::add, () -> false);
        return new Trained(
                Files.readAllBytes(config.output().resolve("model/model.safetensors")),
                steps.stream().map(TrainingListener.Step::images).reduce(ImageFeatures.NONE, ImageFeatures::plus),
                steps.stream().map(TrainingListener.Step::loss).toList());
    }

    private TrainConfig recipe(String name, Map<String, String> settings) {
        Map<String, String> all = new HashMap<>(settings);
        all.putIfAbsent("data.feature-cache", cache.toString());
        if (all.get("data.feature-cache").isEmpty()) {
            all.remove("data.feature-cache");
        }
        return tiny.recipe("finetune", "plain", name, all);
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(cache)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
