package io.llava4j.train.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.recipe.TrainConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs whose projector makes one image token of a square of patches. */
class ReducingProjectorRunTest {

    @TempDir
    private Path root;

    /** Stage 1, then stage 2 on its projector: both move it, with and without kept image features; the model is complete. */
    @ParameterizedTest
    @CsvSource({
        "avg_pool_2x2_mlp2x_gelu, 0.weight, 256",
        "pixel_shuffle_2x2_mlp2x_gelu, 0.weight, 1024",
        "tokenpacker_2x2, k_proj_1.0.weight, 1024",
        "tokenpacker_2x2, clip_attn.in_proj_weight, 768"
    })
    void bothStagesTrainIt(String type, String name, int size) {
        String weight = "model.mm_projector." + name;
        TinyRun tiny = new TinyRun(root);
        Map<String, String> settings = new HashMap<>(Map.of("model.projector-type", type));
        train(tiny.recipe("pretrain", "plain", "pretrain", settings));
        Path projector = root.resolve("pretrain/model").resolve(ModelFiles.PROJECTOR);
        float[] first;
        try (SafeTensors file = SafeTensors.open(projector)) {
            assertThat(file.metadata()).containsEntry("mm_projector_type", type);
        }
        try (Checkpoint file = Checkpoint.open(projector)) {
            first = file.tensor(weight).toFloats();
        }
        assertThat(first).hasSize(size);

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
                assertThat(Arrays.equals(model.tensor(weight).toFloats(), first))
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

    /** A projector of TokenPacker's own code does not say how many patches become a token; one that is stored here does. */
    @Test
    void aTokenPackerWithoutANameFitsAnySquare() throws IOException {
        TinyRun tiny = new TinyRun(root);
        train(tiny.recipe("pretrain", "plain", "pretrain", Map.of("model.projector-type", "tokenpacker_2x2")));
        Path named = root.resolve("pretrain/model").resolve(ModelFiles.PROJECTOR);
        Path unnamed = root.resolve("unnamed.safetensors");
        try (Checkpoint file = Checkpoint.open(named)) {
            assertThat(file.kind()).isEqualTo(new ModelKind.Projector("tokenpacker_2x2", 16, 16));
            List<TensorSource> tensors = file.tensors().values().stream()
                    .map(tensor -> TensorSource.of(tensor.name(), tensor.toFloats(), tensor.shape()))
                    .toList();
            SafeTensorsWriter.write(unnamed, tensors, Map.of());
        }
        train(tiny.recipe(
                "finetune",
                "plain",
                "tuned",
                Map.of("model.projector-type", "tokenpacker_2x2", "model.projector", unnamed.toString())));
        assertThatThrownBy(() ->
                        train(tiny.recipe("finetune", "plain", "other", Map.of("model.projector", unnamed.toString()))))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "model.projector %s is a projector tokenpacker_2x2 and model.projector-type is"
                                + " mlp2x_gelu; choose the same",
                        unnamed);
    }

    /** The recipe's type is what its base has, or is left out. */
    @Test
    void anotherTypeThanThatOfTheBaseIsRefused() {
        TinyRun tiny = new TinyRun(root);
        train(tiny.recipe("finetune", "plain", "base", Map.of("model.projector-type", "avg_pool_2x2_mlp2x_gelu")));
        String base = root.resolve("base/model").toString();
        Map<String, String> settings = new HashMap<>();
        settings.put("model.vision-tower", "");
        settings.put("model.language-model", "");
        settings.put("model.base", base);
        train(tiny.recipe("finetune", "plain", "again", settings));
        try (Checkpoint model = Checkpoint.open(root.resolve("again/model"))) {
            assertThat(model.config().projectorType()).isEqualTo("avg_pool_2x2_mlp2x_gelu");
        }
        settings.put("model.projector-type", "pixel_shuffle_2x2_mlp2x_gelu");
        assertThatThrownBy(() -> train(tiny.recipe("finetune", "plain", "other", settings)))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "model.projector-type is pixel_shuffle_2x2_mlp2x_gelu, but model.base %s has a projector"
                                + " avg_pool_2x2_mlp2x_gelu; remove model.projector-type",
                        base);
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
