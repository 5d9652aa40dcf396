package io.llava4j.train.recipe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.data.DataConfig;
import io.llava4j.train.run.LoraSettings;
import io.llava4j.train.run.TrainableParts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class RecipeLoaderTest {
    private static final String FINETUNE = "stage: finetune\nmodel:\n  base: models/nano\ndata:\n  json: d.json\n";

    @TempDir
    private Path dir;

    private final RecipeLoader loader = new RecipeLoader();

    /** All but those of data and ladders, and those of pre-training, which another loader reads. */
    static Stream<Path> shippedRecipes() throws IOException {
        Path all = Path.of("../recipes");
        List<Path> recipes = new ArrayList<>();
        try (Stream<Path> files = Files.walk(all)) {
            for (Path file :
                    files.filter(f -> f.toString().endsWith(".yaml")).sorted().toList()) {
                if (!file.startsWith(all.resolve("data"))
                        && !file.startsWith(all.resolve("ladders"))
                        && !ofPretraining(file)) {
                    recipes.add(file);
                }
            }
        }
        return recipes.stream();
    }

    private static boolean ofPretraining(Path file) throws IOException {
        return Files.readAllLines(file).stream().anyMatch(line -> line.matches("stage: (tower|language)\\b.*"));
    }

    @ParameterizedTest
    @MethodSource("shippedRecipes")
    void shippedRecipesLoadAndRoundTrip(Path file) throws IOException {
        TrainConfig config = loader.load(file, Map.of(), Map.of());
        Path written = Files.writeString(dir.resolve("resolved.yaml"), ConfigFile.toYaml(config));

        assertThat(loader.load(written, Map.of(), Map.of())).isEqualTo(config);
    }

    @ParameterizedTest
    @CsvSource({"7b,PRETRAIN,pretrain,256,1e-3", "7b,FINETUNE,finetune,128,2e-5", "13b,PRETRAIN,pretrain,256,1e-3"})
    void paperValues(String size, Stage stage, String name, int globalBatch, double learningRate) {
        TrainConfig config =
                loader.load(Path.of("../recipes/llava-1.5-%s-%s.yaml".formatted(size, name)), Map.of(), Map.of());

        assertThat(config.stage()).isEqualTo(stage);
        assertThat(config.samplesPerStep()).isEqualTo(globalBatch);
        assertThat(config.optimizer().learningRate()).isEqualTo(learningRate);
        assertThat(config.trainable().languageModel()).isEqualTo(stage == Stage.FINETUNE);
    }

    @Test
    void stageFixesWhatTheStagesDifferIn() throws IOException {
        TrainConfig finetune = load(FINETUNE);
        assertThat(finetune.data().template()).isEqualTo(DataConfig.Template.V1);
        assertThat(finetune.data().groupByModality()).isTrue();
        assertThat(finetune.optimizer().learningRate()).isEqualTo(2e-5);
        assertThat(finetune.output()).isEqualTo(Path.of("runs/recipe"));

        TrainConfig pretrain = load(FINETUNE.replace("finetune", "pretrain"));
        assertThat(pretrain.data().imageAspectRatio()).isEqualTo(DataConfig.ImageAspectRatio.SQUARE);
        assertThat(pretrain.trainable()).isEqualTo(new TrainableParts(true, false, false));
        assertThat(pretrain.batch().perDevice()).isEqualTo(32);
    }

    @ParameterizedTest
    @CsvSource({"align,pretrain", "tune,finetune"})
    void oldNamesOfStagesStayReadable(String old, String current) throws IOException {
        List<String> notes = new ArrayList<>();
        Path file = write(FINETUNE.replace("finetune", old));
        TrainConfig config = new RecipeLoader(notes::add, UnaryOperator.identity()).load(file, Map.of(), Map.of());
        assertThat(config).isEqualTo(load(FINETUNE.replace("finetune", current)));
        assertThat(notes).containsExactly("%s: stage: '%s' is now called '%s'".formatted(file, old, current));
    }

    /** A program may know models by other names than their folders'; every key that names a model is asked for. */
    @Test
    void modelsMayHaveOtherNames() throws IOException {
        Map<String, String> folders = Map.of("a/tower", "/models/a/tower", "b/language", "/models/b/language");
        RecipeLoader named = new RecipeLoader(name -> folders.getOrDefault(name, name));
        Path file = write("stage: finetune\nmodel:\n  vision-tower: a/tower\ndata:\n  json: d.json\n");
        TrainConfig config = named.load(file, Map.of("model.language-model", "b/language"), Map.of());
        assertThat(config.model().visionTower()).isEqualTo(Path.of("/models/a/tower"));
        assertThat(config.model().languageModel()).isEqualTo(Path.of("/models/b/language"));
        Path whole = write(FINETUNE.replace("models/nano", "a/tower"));
        assertThat(named.load(whole, Map.of(), Map.of()).model().base()).isEqualTo(Path.of("/models/a/tower"));
    }

    @Test
    void keysThatHadNoEffectAreIgnoredWithANote() throws IOException {
        List<String> notes = new ArrayList<>();
        Path file = write(FINETUNE + "precision: fp32\nlogging: {samples-every-steps: 0}\n");
        TrainConfig config = new RecipeLoader(notes::add, UnaryOperator.identity()).load(file, Map.of(), Map.of());
        assertThat(config).isEqualTo(load(FINETUNE));
        assertThat(notes)
                .hasSize(2)
                .anyMatch(note -> note.endsWith("precision is no longer a key and has no effect; remove it"))
                .anyMatch(note ->
                        note.endsWith("logging.samples-every-steps is no longer a key and has no effect; remove it"));
    }

    @Test
    void flagsOfTheReferenceAreUnderstoodInAFile() throws IOException {
        TrainConfig config = load("""
                stage: finetune
                model_name_or_path: vicuna
                vision_tower: clip
                data_path: d.json
                learning_rate: 3e-5
                max_steps: -1
                batch: {accumulation: 2}
                per_device_train_batch_size: 8
                """);
        assertThat(config.model().languageModel()).isEqualTo(Path.of("vicuna"));
        assertThat(config.model().visionTower()).isEqualTo(Path.of("clip"));
        assertThat(config.data().json()).isEqualTo(Path.of("d.json"));
        assertThat(config.optimizer().learningRate()).isEqualTo(3e-5);
        assertThat(config.schedule().maxSteps()).isNull();
        assertThat(config.samplesPerStep()).isEqualTo(16);
        assertThatThrownBy(() -> load(FINETUNE + "learning_rate: 1e-3\noptimizer: {learning-rate: 1e-4}\n"))
                .hasMessageContaining("optimizer.learning-rate is set twice, also as learning_rate; remove one");
    }

    @Test
    void adaptersBringLlavasRatesWithThem() throws IOException {
        TrainConfig lora = load(FINETUNE + "lora: {}\n");
        assertThat(lora.lora())
                .isEqualTo(new LoraSettings(128, 256, 0.05, List.of("all-linear"), false, false, 16, List.of()));
        assertThat(lora.trainable()).isEqualTo(new TrainableParts(true, false, false));
        assertThat(lora.optimizer().learningRate()).isEqualTo(2e-4);
        assertThat(lora.optimizer().projectorLearningRate()).isEqualTo(2e-5);
        TrainConfig shipped = loader.load(Path.of("../recipes/llava-1.5-7b-finetune-lora.yaml"), Map.of(), Map.of());
        assertThat(shipped.lora()).isEqualTo(lora.lora());
        assertThat(shipped.optimizer()).isEqualTo(lora.optimizer());
        assertThat(shipped.samplesPerStep()).isEqualTo(128);
        assertThat(load(FINETUNE).lora()).isNull();
    }

    @Test
    void commandLineBeatsEnvironmentBeatsFileBeatsParent() throws IOException {
        Files.writeString(
                dir.resolve("parent.yaml"), FINETUNE + "seed: 1\nthreads: 1\ndevice: cuda:1\nbatch: {per-device: 1}\n");
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
                write(FINETUNE),
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
                "trainable: {projector: false, language-model: false}|trainable has no part that is true",
                "trainable: {projector: false}\\noptimizer: {projector-learning-rate: 1e-3}|"
                        + "optimizer.projector-learning-rate is set but trainable.projector is false",
                "data: {json: a, nano: {count: 1, image-size: 64}}|unknown key 'data.nano'",
                "data: {json: a, template: plain}|data.group-by-modality is true but data.template plain",
                "data: {images: a}|data.json is missing",
                "model: {base: a, vision-tower: b}|model.base names a whole model, so model.vision-tower cannot be set as well",
                "model: {vision-tower: b}|model.base is missing",
                "model: {base: a, projector-type: mlp}|model.projector-type is 'mlp'",
                "model: {base: a, projector-type: identity}|trainable.projector is true but model.projector-type is identity",
                "model: {base: a, config: {vision: {}}}|unknown key 'model.config'",
                "stage: tower|stage must be pretrain or finetune, not 'tower'",
                "batch: {accumulation: 3, parallel: 2}|batch.parallel is 2, which does not divide accumulation, 3",
                "seed: [|is not valid YAML at line",
            })
    void refusalsNameFileAndKey(String yaml, String message) throws IOException {
        String text = yaml.replace("\\n", "\n");
        // A section given here stands in for the valid recipe's section of the same name.
        List<String> sections =
                text.lines().map(l -> l.substring(0, l.indexOf(':') + 1)).toList();
        StringBuilder recipe = new StringBuilder();
        for (String block : List.of("stage: finetune\n", "model:\n  base: models/nano\n", "data:\n  json: d.json\n")) {
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

    @Test
    void slipsOnTheCommandLineAndInTheEnvironmentAreNamedAsSuch() throws IOException {
        Path file = write(FINETUNE);

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
        Path twice = write("seed: 1\nstage: finetune\nseed: 2\n");
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

    @Test
    void textInAnotherEncodingIsNamed() throws IOException {
        Path file = dir.resolve("encoded.yaml");
        Files.write(file, FINETUNE.getBytes(StandardCharsets.UTF_16));
        assertThatThrownBy(() -> loader.load(file, Map.of(), Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("is text in UTF-16; save it in UTF-8");
        Files.write(file, (FINETUNE + "# é").getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> loader.load(file, Map.of(), Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("is not text in UTF-8; save it in UTF-8");
    }
}
