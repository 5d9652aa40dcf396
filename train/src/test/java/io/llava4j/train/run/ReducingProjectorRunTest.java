package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs whose projector makes one image token of a square of patches. */
class ReducingProjectorRunTest {
    private static final String WEIGHT = "model.mm_projector.0.weight";

    @TempDir
    private Path root;

    /** Stage 1, then stage 2 on its projector: both move it, with and without kept image features; the model is complete. */
    @ParameterizedTest
    @ValueSource(strings = {"avg_pool_2x2_mlp2x_gelu", "pixel_shuffle_2x2_mlp2x_gelu"})
    void bothStagesTrainIt(String type) {
        TinyRun tiny = new TinyRun(root);
        Map<String, String> settings = new HashMap<>(Map.of("model.projector-type", type));
        train(tiny.recipe("pretrain", "plain", "pretrain", settings));
        Path projector = root.resolve("pretrain/model").resolve(ModelFiles.PROJECTOR);
        float[] first;
        try (SafeTensors file = SafeTensors.open(projector)) {
            assertThat(file.metadata()).containsEntry("mm_projector_type", type);
        }
        try (Checkpoint file = Checkpoint.open(projector)) {
            first = file.tensor(WEIGHT).toFloats();
        }
        assertThat(first).hasSize(16 * 16 * (type.startsWith("pixel_shuffle") ? 4 : 1));

        settings.put("model.projector", projector.toString());
        train(tiny.recipe("finetune", "plain", "tuned", settings));
        settings.put("data.feature-cache", root.resolve("cache").toString());
        train(tiny.recipe("finetune", "plain", "cached", settings));
        for (String run : new String[] {"tuned", "cached"}) {
            try (Checkpoint model =
                    Checkpoint.open(root.resolve(run).resolve("model")).requireComplete()) {
                LlavaConfig config = model.config();
                assertThat(config.projectorType()).isEqualTo(type);
                assertThat(config.tokensPerImage()).isEqualTo(1);
                assertThat(config.featuresPerView()).isEqualTo(4);
                assertThat(Arrays.equals(model.tensor(WEIGHT).toFloats(), first))
                        .isFalse();
            }
        }
    }

    /** Its tensors would fit, but it has learnt to read something else. */
    @Test
    void aProjectorOfAnotherReductionIsRefused() {
        TinyRun tiny = new TinyRun(root);
        train(tiny.recipe("pretrain", "plain", "pretrain", Map.of("model.projector-type", "avg_pool_2x2_mlp2x_gelu")));
        Path projector = root.resolve("pretrain/model").resolve(ModelFiles.PROJECTOR);
        assertThatThrownBy(() -> train(
                        tiny.recipe("finetune", "plain", "other", Map.of("model.projector", projector.toString()))))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "model.projector %s is a projector avg_pool_2x2_mlp2x_gelu and model.projector-type is"
                                + " mlp2x_gelu; choose the same",
                        projector);
    }

    @Test
    void aGridThatTheSquareDoesNotDivideIsRefused() {
        TinyRun tiny = new TinyRun(root);
        assertThatThrownBy(() -> train(tiny.recipe(
                        "pretrain", "plain", "run", Map.of("model.projector-type", "pixel_shuffle_3x3_mlp2x_gelu"))))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("needs a grid of patches that 3 divides, but the vision tower's is 2 x 2");
    }

    private static void train(TrainConfig config) {
        TrainingRun.run(config, Objectives::create, false, step -> {}, () -> false);
    }
}
