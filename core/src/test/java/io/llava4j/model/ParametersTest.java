package io.llava4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.text.Prompt;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The declared tensors are those that the layers read, no more and no fewer. */
class ParametersTest {
    static Stream<LlavaConfig> configs() {
        return Stream.of(List.<Integer>of(), List.of(8, 8, 16)).map(stem -> TinyModels.config(0, stem));
    }

    /** A layer that reads another name than those declared finds no tensor, and the model cannot be built. */
    @ParameterizedTest
    @MethodSource("configs")
    void layersReadNothingElse(LlavaConfig config) {
        try (LlavaModel model = TinyModels.of(config)) {
            assertThat(model.weights().names())
                    .containsExactlyElementsOf(ExpectedTensors.of(new ModelKind.Llava(config))
                            .shapes()
                            .keySet());
        }
    }

    /** Whatever is read gets a gradient, be it zero. */
    @ParameterizedTest
    @MethodSource("configs")
    void everyDeclaredTensorIsRead(LlavaConfig config) {
        try (LlavaModel model = TinyModels.of(config)) {
            Engine.scope("a test", () -> {
                Weights weights = model.weights();
                weights.names().forEach(name -> weights.get(name).set_requires_grad(true));
                ModelInput input = ModelInput.of(
                        List.of(new int[] {1, Prompt.IMAGE_TOKEN_INDEX}), null, List.of(TinyModels.image(1)));
                Tensor logits =
                        model.languageModel().logits(model.forward(input).hidden());
                // The projector reads a hidden state before the last block; contrastive training reads the whole tower.
                Tensor patches =
                        new ClipVisionTower(config.vision(), weights).patchFeatures(model.pixels(input.images()));
                logits.sum().add(patches.sum()).backward();
                assertThat(weights.names())
                        .allMatch(name -> weights.get(name).grad().defined());
                return null;
            });
        }
    }

    @ParameterizedTest
    @MethodSource("configs")
    void aMissingMatrixIsNamed(LlavaConfig config) {
        Map<String, long[]> shapes =
                ExpectedTensors.of(new ModelKind.Llava(config)).shapes();
        for (String missing : shapes.keySet()) {
            // Linear layers take a bias where there is one.
            if (missing.endsWith("bias")) {
                continue;
            }
            Engine.scope("a test", () -> {
                try (Weights weights = new Weights()) {
                    shapes.forEach((name, shape) -> {
                        if (!name.equals(missing)) {
                            weights.put(name, Tensors.of(new float[1], 1));
                        }
                    });
                    assertThatThrownBy(() -> new LlavaModel(config, weights))
                            .isInstanceOf(CheckpointException.class)
                            .hasMessageContaining(missing);
                }
                return null;
            });
        }
    }

    @Test
    void projectorTypesAreKnownByTheirNames() {
        assertThat(ProjectorType.parse("identity").layers(8, 16)).isEmpty();
        assertThat(names("linear"))
                .containsExactly("model.mm_projector.weight [16, 8]", "model.mm_projector.bias [16]");
        assertThat(names("mlp3x_gelu"))
                .containsExactly(
                        "model.mm_projector.0.weight [16, 8]",
                        "model.mm_projector.0.bias [16]",
                        "model.mm_projector.2.weight [16, 16]",
                        "model.mm_projector.2.bias [16]",
                        "model.mm_projector.4.weight [16, 16]",
                        "model.mm_projector.4.bias [16]");
        for (String unknown : List.of("mlp0x_gelu", "mlp100x_gelu", "mlp2x_relu", "resampler", "")) {
            assertThatThrownBy(() -> ProjectorType.parse(unknown))
                    .isInstanceOf(ConfigException.class)
                    .hasMessage("projector type '%s' is unknown; use %s".formatted(unknown, ProjectorType.KNOWN));
        }
    }

    private static List<String> names(String type) {
        return ProjectorType.parse(type).layers(8, 16).stream()
                .flatMap(layer -> layer.shapes().entrySet().stream())
                .map(tensor -> tensor.getKey() + " " + Arrays.toString(tensor.getValue()))
                .toList();
    }
}
