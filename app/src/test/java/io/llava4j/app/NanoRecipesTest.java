package io.llava4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.nano.pretrain.PretrainObjectives;
import io.llava4j.train.recipe.RecipeLoader;
import io.llava4j.train.recipe.TrainConfig;
import io.llava4j.train.run.TrainingRun;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shipped nano weights load, and the recipes that made them start. */
class NanoRecipesTest {
    private static final Path ROOT = Path.of("..");

    @TempDir
    private Path dir;

    @Test
    void theTowersRecipeStartsAndMakesATowerOfTheShippedShape() {
        assertThat(Checkpoint.open(train("tower.yaml", Map.of())).kind()).isEqualTo(shipped("nano-tower"));
    }

    @Test
    void theLanguageModelsRecipeStartsAndMakesAModelOfTheShippedShape() {
        Path tokenizer = ROOT.resolve("models/nano-tokenizer");
        assertThat(Checkpoint.open(train("language.yaml", Map.of("model.tokenizer", tokenizer.toString())))
                        .kind())
                .isEqualTo(shipped("nano-language"));
    }

    private static ModelKind shipped(String model) {
        try (Checkpoint checkpoint =
                Checkpoint.open(ROOT.resolve("models").resolve(model)).requireComplete()) {
            return checkpoint.kind();
        }
    }

    private Path train(String recipe, Map<String, String> more) {
        Map<String, String> values = new java.util.HashMap<>(more);
        values.put("output", dir.toString());
        values.put("schedule.max-steps", "2");
        values.put("batch.per-device", "2");
        TrainConfig config =
                new RecipeLoader().load(ROOT.resolve("recipes/nano").resolve(recipe), values, Map.of());
        assertThat(TrainingRun.run(
                        config,
                        PretrainObjectives::create,
                        false,
                        step -> assertThat(step.loss()).isPositive(),
                        () -> false))
                .isTrue();
        assertThat(dir.resolve("env.json")).exists();
        assertThat(dir.resolve("tb")).isNotEmptyDirectory();
        return dir.resolve(TrainingRun.MODEL);
    }
}
