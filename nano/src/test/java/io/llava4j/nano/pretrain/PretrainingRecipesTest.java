package io.llava4j.nano.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.train.config.ConfigFile;
import io.llava4j.train.run.Objective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class PretrainingRecipesTest {
    private static final String TOWER = """
            stage: tower
            data: {nano: {count: 10, image-size: 64}}
            model:
              config:
                vision: {hidden-size: 64, intermediate-size: 128, layers: 2, heads: 4, image-size: 64, patch-size: 8,
                         stem-channels: [8, 16, 32]}
            """;

    @TempDir
    private Path dir;

    static Stream<Path> shippedRecipes() throws IOException {
        List<Path> recipes = new ArrayList<>();
        for (String family : List.of("nano", "nano-plus")) {
            try (Stream<Path> files = Files.list(Path.of("../recipes").resolve(family))) {
                files.filter(file -> recipe(file).stage().isPresent()).sorted().forEach(recipes::add);
            }
        }
        return recipes.stream();
    }

    @ParameterizedTest
    @MethodSource("shippedRecipes")
    void shippedRecipesLoadAndRoundTrip(Path file) throws IOException {
        Function<PretrainingRecipes, Record> config =
                switch (recipe(file).stage().orElseThrow()) {
                    case TOWER -> PretrainingRecipes::tower;
                    case LANGUAGE -> PretrainingRecipes::language;
                };
        Record shipped = config.apply(recipe(file));
        assertThat(config.apply(recipe(write(ConfigFile.toYaml(shipped))))).isEqualTo(shipped);
    }

    @Test
    void shippedCurriculaChangeAtTheirSteps() {
        TowerConfig tower = recipe(Path.of("../recipes/nano/tower.yaml")).tower();
        assertThat(tower.optimizer().learningRate()).isEqualTo(0.0015);
        assertThat(tower.data().nano().phaseAt(2999).imageSize()).isEqualTo(48);
        assertThat(tower.data().nano().phaseAt(9999).imageSize()).isEqualTo(96);

        LanguageConfig language =
                recipe(Path.of("../recipes/nano/language.yaml")).language();
        assertThat(language.samplesPerStep()).isEqualTo(32);
        assertThat(language.data().nano().phaseAt(0).shares())
                .isEqualTo(new TextShares(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
        assertThat(language.data().nano().phaseAt(2400).imageTokenNoise()).isEqualTo(5);
    }

    /** A resumed run notices other starting weights and another tokenizer. */
    @Test
    void bothStagesKnowWhatTheyStartFrom() throws IOException {
        try (Objective tower = PretrainObjectives.tower(recipe(write(TOWER)).tower())) {
            assertThat(tower.inputs().fingerprints()).containsOnlyKeys("weights of the vision tower");
        }
        String language = """
                stage: language
                model: {language-model: ../models/nano-language}
                data: {nano: {count: 10}}
                """;
        try (Objective objective =
                PretrainObjectives.language(recipe(write(language)).language())) {
            assertThat(objective.inputs().fingerprints())
                    .containsOnlyKeys("weights of the language model", "tokenizer");
        }
    }

    @ParameterizedTest
    @MethodSource("shippedRecipes")
    void everyKeyOfAShippedRecipeIsExplained(Path file) throws IOException {
        assertThat(Files.readAllLines(file))
                .filteredOn(line -> line.matches(" *[a-z0-9-]+: .*"))
                .isNotEmpty()
                .allMatch(line -> line.contains(" # "));
    }

    @Test
    void oldNamesStayReadable() throws IOException {
        String yaml = """
                stage: language
                model: {language-model: m}
                data:
                  nano:
                    count: 10
                    image-size: 96
                    curriculum:
                      - {steps: 2, word-noise: 0.5, image-size: 96, text: {partners: 1, roll-calls: 2, drills: 3}}
                      - {steps: 2, word-noise: 0.5, text: {conversations: 1}}
                """;
        List<String> notes = new ArrayList<>();
        LanguageConfig config = new PretrainingRecipes(write(yaml), Map.of(), Map.of(), notes::add).language();
        assertThat(config.data().nano().curriculum())
                .containsExactly(
                        new LanguageConfig.Part(2, 1, 5, 0.5, null, new TextShares(1, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0)),
                        new LanguageConfig.Part(2, 1, 5, 0.5, null, new TextShares(0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)));
        assertThat(notes)
                .doesNotHaveDuplicates()
                .hasSize(6)
                .anyMatch(note -> note.endsWith("data.nano.curriculum.text.partners is now called associative-recall"))
                .anyMatch(note -> note.endsWith("data.nano.image-size is no longer a key and has no effect; remove it"))
                .allMatch(note -> note.contains("recipe.yaml: "));
    }

    @ParameterizedTest
    @CsvSource({
        "heads,3,'model.config.vision.heads is 3, which does not divide hidden-size, 64'",
        "patch-size,7,'model.config.vision.patch-size is 7, which does not divide'",
        "stem-channels,'[8, 16]',model.config.vision.stem-channels has 2 stages",
        "hidden-size,wide,model.config.vision.hidden-size must be a whole number",
        "stem-channels,8,'model.config.vision.stem-channels must be a list such as [1, 2]'",
    })
    void impossibleShapesAreRefused(String key, String value, String message) throws IOException {
        Path file = write(TOWER);
        assertThat(recipe(file).tower().model().config().vision())
                .isEqualTo(new VisionShape(64, 128, 2, 4, 64, 8, List.of(8, 16, 32)));
        assertThatThrownBy(() ->
                        new PretrainingRecipes(file, Map.of("model.config.vision." + key, value), Map.of()).tower())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    @Test
    void missingShapesAreRefused() throws IOException {
        Path tower = write("stage: tower\ndata: {nano: {count: 10, image-size: 64}}\n");
        assertThatThrownBy(() -> recipe(tower).tower())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("model.config.vision is missing");
        Path language = write("stage: language\ndata: {nano: {count: 10}}\n");
        assertThatThrownBy(() -> recipe(language).language())
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("model.config.text is missing");
        Path scenes = write("stage: language\nmodel: {language-model: m}\n");
        assertThatThrownBy(() -> recipe(scenes).language()).hasMessageContaining("data.nano.count is missing");
    }

    @Test
    void otherStagesAreNotOfPreTraining() throws IOException {
        assertThat(recipe(write("stage: finetune\n")).stage()).isEmpty();
        assertThat(recipe(Path.of("../recipes/llava-1.5-7b-pretrain.yaml")).stage())
                .isEmpty();
    }

    private static PretrainingRecipes recipe(Path file) {
        return new PretrainingRecipes(file, Map.of(), Map.of());
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(dir.resolve("recipe.yaml"), yaml);
    }
}
