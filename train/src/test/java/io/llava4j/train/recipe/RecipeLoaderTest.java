package io.llava4j.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RecipeLoaderTest {
    private static final String TUNE = "stage: tune\nmodel:\n  base: models/nano\ndata:\n  json: d.json\n";

    @TempDir
    private Path dir;

    private final RecipeLoader loader = new RecipeLoader();

    static Stream<Path> shippedRecipes() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("../recipes"))) {
            return files
                    .filter(f -> f.toString().endsWith(".yaml") && !f.toString().contains("recipes/data/"))
                    .sorted()
                    .toList()
                    .stream();
        }
    }

    @ParameterizedTest
    @MethodSource("shippedRecipes")
    void shippedRecipesLoadAndRoundTrip(Path file) throws IOException {
        TrainConfig config = loader.load(file, Map.of(), Map.of());
        Path written = Files.writeString(dir.resolve("resolved.yaml"), loader.toYaml(config));

        assertThat(loader.load(written, Map.of(), Map.of())).isEqualTo(config);
    }

    @ParameterizedTest
    @CsvSource({"7b,ALIGN,pretrain,256,1e-3", "7b,TUNE,finetune,128,2e-5", "13b,ALIGN,pretrain,256,1e-3"})
    void paperValues(String size, Stage stage, String name, int globalBatch, double learningRate) {
        TrainConfig config =
                loader.load(Path.of("../recipes/llava-1.5-%s-%s.yaml".formatted(size, name)), Map.of(), Map.of());

        assertThat(config.stage()).isEqualTo(stage);
        assertThat(config.samplesPerStep()).isEqualTo(globalBatch);
        assertThat(config.optimizer().learningRate()).isEqualTo(learningRate);
        assertThat(config.trainable().languageModel()).isEqualTo(stage == Stage.TUNE);
    }

    @Test
    void stageFixesWhatTheStagesDifferIn() throws IOException {
        TrainConfig tune = load(TUNE);
        assertThat(tune.data().template()).isEqualTo(TrainConfig.Template.V1);
        assertThat(tune.data().groupByModality()).isTrue();
        assertThat(tune.optimizer().learningRate()).isEqualTo(2e-5);
        assertThat(tune.output()).isEqualTo(Path.of("runs/recipe"));

        TrainConfig align = load(TUNE.replace("tune", "align"));
        assertThat(align.data().imageAspectRatio()).isEqualTo(TrainConfig.ImageAspectRatio.SQUARE);
        assertThat(align.trainable()).isEqualTo(new TrainConfig.Trainable(true, false, false));
        assertThat(align.batch().perDevice()).isEqualTo(32);
    }

    @Test
    void adaptersBringLlavasRatesWithThem() throws IOException {
        TrainConfig lora = load(TUNE + "lora: {}\n");
        assertThat(lora.lora()).isEqualTo(new TrainConfig.LoraSpec(128, 256, 0.05));
        assertThat(lora.trainable()).isEqualTo(new TrainConfig.Trainable(true, false, false));
        assertThat(lora.optimizer().learningRate()).isEqualTo(2e-4);
        assertThat(lora.optimizer().projectorLearningRate()).isEqualTo(2e-5);
        TrainConfig shipped = loader.load(Path.of("../recipes/llava-1.5-7b-lora.yaml"), Map.of(), Map.of());
        assertThat(shipped.lora()).isEqualTo(lora.lora());
        assertThat(shipped.optimizer()).isEqualTo(lora.optimizer());
        assertThat(shipped.samplesPerStep()).isEqualTo(128);
        assertThat(load(TUNE).lora()).isNull();
    }

    @Test
    void commandLineBeatsEnvironmentBeatsFileBeatsParent() throws IOException {
        Files.writeString(
                dir.resolve("parent.yaml"), TUNE + "seed: 1\nthreads: 1\ndevice: cuda:1\nbatch: {per-device: 1}\n");
        Path file = Files.writeString(
                dir.resolve("child.yaml"),
                "extends: parent.yaml\nthreads: 2\nbatch: {accumulation: 2, per-device: 2}\n");

        TrainConfig config = loader.load(
                file,
                Map.of("batch.per-device", "4"),
                Map.of("LLAVA_BATCH_PER_DEVICE", "3", "LLAVA_BATCH_ACCUMULATION", "3", "LLAVA_HOME", "/opt/llava"));

        assertThat(config.batch().perDevice()).isEqualTo(4);
        assertThat(config.batch().accumulation()).isEqualTo(3);
        assertThat(config.threads()).isEqualTo(2);
        assertThat(config.seed()).isEqualTo(1);
        assertThat(config.device()).isEqualTo("cuda:1");
    }

    @Test
    void flagsOfTheReferenceAreUnderstood() throws IOException {
        TrainConfig config = loader.load(
                write(TUNE),
                Map.of(
                        "learning_rate", "3e-5",
                        "per_device_train_batch_size", "8",
                        "mm_vision_select_layer", "-1",
                        "max_steps", "-1",
                        "group_by_modality_length", "False"),
                Map.of());

        assertThat(config.optimizer().learningRate()).isEqualTo(3e-5);
        assertThat(config.batch().perDevice()).isEqualTo(8);
        assertThat(config.model().selectLayer()).isEqualTo(-1);
        assertThat(config.schedule().maxSteps()).isNull();
        assertThat(config.data().groupByModality()).isFalse();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "optimizer: {learning_rate: 1}|unknown key 'optimizer.learning_rate'; did you mean 'optimizer.learning-rate'?",
                "sede: 1|unknown key 'sede'; did you mean 'seed'?",
                "seed: many|seed must be a whole number, not 'many'",
                "batch: 16|batch must be a section with keys of its own, not '16'",
                "device: gpu|device is 'gpu'; write cpu, or cuda:0 for the first GPU",
                "precision: bf16|precision must be fp32, not 'bf16'",
                "schedule: {warmup-ratio: 1.5}|schedule.warmup-ratio must be at least 0 and below 1, not 1.5",
                "batch: {per-device: 0}|batch.per-device must be at least 1, not 0",
                "optimizer: {learning-rate: .nan}|optimizer.learning-rate must be",
                "trainable: {projector: no}|trainable.projector must be true or false, not 'no'",
                "lora: {r: 0}|lora.r must be at least 1, not 0",
                "lora: {}\\ntrainable: {language-model: true}|trainable.language-model is true; set it to false",
                "trainable: {projector: false, language-model: false}|trainable has no part that learns",
                "trainable: {projector: false}\\noptimizer: {projector-learning-rate: 1e-3}|"
                        + "optimizer.projector-learning-rate is set but trainable.projector is false",
                "data: {json: a, nano: {count: 1, image-size: 64}}|data.json and data.nano are both set",
                "data: {json: a, template: plain}|data.group-by-modality is true but data.template plain",
                "data: {images: a}|data.json is missing",
                "model: {base: a, vision-tower: b}|model.base names a whole model, so model.vision-tower cannot be set as well",
                "model: {vision-tower: b}|model.base is missing",
                "model: {base: a, projector-type: mlp}|model.projector-type is 'mlp'",
                "model: {base: a, projector-type: identity}|trainable.projector is true but model.projector-type is identity",
                "model: {base: a, config: {text: {hidden-size: 8, intermediate-size: 8, layers: 1, heads: 2, vocab-size: 9}}}|"
                        + "model.config gives shapes of parts that start at random, which stage tune does not have",
                "stage: tower|model.config.vision is missing",
                "stage: language|model.config.text is missing",
                "seed: [|is not valid YAML at line",
            })
    void refusalsNameFileAndKey(String yaml, String message) throws IOException {
        String text = yaml.replace("\\n", "\n");
        // A section given here stands in for the valid recipe's section of the same name.
        List<String> sections =
                text.lines().map(l -> l.substring(0, l.indexOf(':') + 1)).toList();
        StringBuilder recipe = new StringBuilder();
        for (String block : List.of("stage: tune\n", "model:\n  base: models/nano\n", "data:\n  json: d.json\n")) {
            if (sections.stream().noneMatch(block::startsWith)) {
                recipe.append(block);
            }
        }
        Path file = write(recipe.append(text).append('\n').toString());

        assertThatThrownBy(() -> loader.load(file, Map.of(), Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message)
                .hasMessageContaining("recipe.yaml");
    }

    @ParameterizedTest
    @CsvSource({
        "heads,3,'model.config.vision.heads is 3, which does not divide model.config.vision.hidden-size, 64'",
        "patch-size,7,'model.config.vision.patch-size is 7, which does not divide'",
        "stem-channels,'[8, 16]',stem-channels has 2 stages",
        "layers,1,model.select-layer is -3 but the tower has 1 layers",
        "hidden-size,wide,model.config.vision.hidden-size must be a whole number",
        "stem-channels,8,'model.config.vision.stem-channels must be a list such as [1, 2]'",
    })
    void impossibleShapesAreRefused(String key, String value, String message) throws IOException {
        Path file = write("""
                stage: tower
                data: {nano: {count: 10, image-size: 64}}
                model:
                  select-layer: -3
                  config:
                    vision: {hidden-size: 64, intermediate-size: 128, layers: 2, heads: 4, image-size: 64, patch-size: 8,
                             stem-channels: [8, 16, 32]}
                """);
        assertThat(loader.load(file, Map.of(), Map.of()).model().config().vision())
                .isEqualTo(new TrainConfig.VisionShape(64, 128, 2, 4, 64, 8, List.of(8, 16, 32)));

        assertThatThrownBy(() -> loader.load(file, Map.of("model.config.vision." + key, value), Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void slipsOnTheCommandLineAndInTheEnvironmentAreNamedAsSuch() throws IOException {
        Path file = write(TUNE);

        assertThatThrownBy(() -> loader.load(file, Map.of("optimiser.learning-rate", "1"), Map.of()))
                .hasMessage("--set unknown key 'optimiser.learning-rate'; did you mean 'optimizer.learning-rate'?");
        assertThatThrownBy(() -> loader.load(file, Map.of(), Map.of("LLAVA_BATCH_PERDEVICE", "1")))
                .hasMessage("unknown environment variable LLAVA_BATCH_PERDEVICE; did you mean LLAVA_BATCH_PER_DEVICE?");
        assertThatThrownBy(() -> loader.load(file, Map.of(), Map.of("LLAVA_SEED", "x")))
                .hasMessage("environment variable LLAVA_SEED: seed must be a whole number, not 'x'");
        assertThatThrownBy(() -> loader.load(file, Map.of("learning_rate", "-1"), Map.of()))
                .hasMessage("--set learning_rate: optimizer.learning-rate must be above 0, not -1.0");
    }

    @Test
    void missingFileDuplicateKeyAndCycleAreRefused() throws IOException {
        assertThatThrownBy(() -> loader.load(dir.resolve("none.yaml"), Map.of(), Map.of()))
                .hasMessageMatching("recipe .*none.yaml does not exist; check the path");
        Path twice = write("seed: 1\nstage: tune\nseed: 2\n");
        assertThatThrownBy(() -> loader.load(twice, Map.of(), Map.of())).hasMessageContaining("at line 3");
        Files.writeString(dir.resolve("a.yaml"), "extends: b.yaml\n");
        Files.writeString(dir.resolve("b.yaml"), "extends: a.yaml\n");
        assertThatThrownBy(() -> loader.load(dir.resolve("a.yaml"), Map.of(), Map.of()))
                .hasMessageContaining("extends leads back to");
    }

    @ParameterizedTest
    @MethodSource("shippedRecipes")
    void everyKeyOfAShippedRecipeIsExplained(Path file) throws IOException {
        assertThat(Files.readAllLines(file))
                .filteredOn(line -> line.matches(" *[a-z0-9-]+: .*"))
                .isNotEmpty()
                .allMatch(line -> line.contains(" # "));
    }

    private TrainConfig load(String yaml) throws IOException {
        return loader.load(write(yaml), Map.of(), Map.of());
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(dir.resolve("recipe.yaml"), yaml);
    }
}
