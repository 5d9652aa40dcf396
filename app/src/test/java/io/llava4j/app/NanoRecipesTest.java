package io.llava4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.nano.pretrain.PretrainObjectives;
import io.llava4j.nano.pretrain.PretrainingRecipes;
import io.llava4j.train.run.Objective;
import io.llava4j.train.run.RunConfig;
import io.llava4j.train.run.TrainingRun;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shipped nano weights load, and the recipes that made them start. */
class NanoRecipesTest {
    private static final Path ROOT = Path.of("..");

    @TempDir
    private Path dir;

    @Test
    void theTowersRecipeStartsAndMakesATowerOfTheShippedShape() {
        assertThat(towerOf("nano/tower.yaml", Map.of())).isEqualTo(shipped("nano-tower"));
    }

    @Test
    void theLanguageModelsRecipeStartsAndMakesAModelOfTheShippedShape() {
        assertThat(languageModelOf("nano/language.yaml", Map.of("model.tokenizer", model("nano-tokenizer"))))
                .isEqualTo(shipped("nano-language"));
    }

    @Test
    void theLanguageModelThatStagesStartFromIsTrainedFurther() {
        assertThat(languageModelOf("nano/instruct.yaml", Map.of("model.language-model", model("nano-language"))))
                .isEqualTo(shipped("nano-instruct"));
    }

    @Test
    void theTowerOfNanoPlusGrowsFromNanos() {
        assertThat(towerOf("nano-plus/tower.yaml", Map.of("model.vision-tower", model("nano-tower"))))
                .isEqualTo(shipped("nano-plus-tower"));
    }

    @Test
    void theLanguageModelOfNanoPlusGrowsFromNanos() {
        assertThat(languageModelOf("nano-plus/language.yaml", Map.of("model.language-model", model("nano-language"))))
                .isEqualTo(shipped("nano-plus-language"));
    }

    private ModelKind towerOf(String recipe, Map<String, String> more) {
        return Checkpoint.open(train(recipe(recipe, more).tower(), PretrainObjectives::tower))
                .kind();
    }

    private ModelKind languageModelOf(String recipe, Map<String, String> more) {
        return Checkpoint.open(train(recipe(recipe, more).language(), PretrainObjectives::language))
                .kind();
    }

    private static String model(String name) {
        return ROOT.resolve("models").resolve(name).toString();
    }

    private static ModelKind shipped(String model) {
        try (Checkpoint checkpoint =
                Checkpoint.open(ROOT.resolve("models").resolve(model)).requireComplete()) {
            return checkpoint.kind();
        }
    }

    private PretrainingRecipes recipe(String recipe, Map<String, String> more) {
        Map<String, String> values = new HashMap<>(more);
        values.put("output", dir.toString());
        values.put("schedule.max-steps", "2");
        values.put("batch.per-device", "2");
        return new PretrainingRecipes(ROOT.resolve("recipes").resolve(recipe), values, Map.of());
    }

    private <C extends Record & RunConfig> Path train(C config, Function<C, Objective> objectives) {
        assertThat(TrainingRun.run(
                        config,
                        objectives,
                        false,
                        step -> assertThat(step.loss()).isPositive(),
                        () -> false))
                .isTrue();
        assertThat(dir.resolve("env.json")).exists();
        assertThat(dir.resolve("tb")).isNotEmptyDirectory();
        return dir.resolve(TrainingRun.MODEL);
    }
}
