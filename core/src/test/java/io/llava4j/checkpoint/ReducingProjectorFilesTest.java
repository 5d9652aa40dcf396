package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of models whose projector makes one image token of a square of patches. */
class ReducingProjectorFilesTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"avg_pool_2x2_mlp2x_gelu", "pixel_shuffle_2x2_mlp2x_gelu"})
    void filesKeepItAndOtherLayoutsRefuseIt(String type) throws IOException {
        ModelKind kind = new ModelKind.Llava(config(type));
        Path model = folder.resolve("model");
        new RandomCheckpoint(kind, DType.F32, 3).write(model, null, (done, total) -> {});
        assertThat(model.resolve("config.json")).content().contains('"' + type + '"');
        try (Checkpoint checkpoint = Checkpoint.open(model).requireComplete()) {
            assertThat(checkpoint.kind()).isEqualTo(kind);
            assertThat(checkpoint.config().tokensPerImage()).isEqualTo(4);
            for (CheckpointLayout layout :
                    List.of(CheckpointLayout.HF_OLD, CheckpointLayout.HF_NEW, CheckpointLayout.GGUF)) {
                assertThatThrownBy(() -> SmallModel.convert(model, folder.resolve("t"), layout, null))
                        .hasMessageContaining("its projector is " + type);
            }
        }
        Path config = model.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("2x2_mlp", "3x3_mlp"));
        assertThatThrownBy(() -> Checkpoint.open(model))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("config.json: mm_projector_type: projector type " + type.replace("2x2", "3x3"))
                .hasMessageContaining("4 x 4");
    }

    /** LLaVA's keys for TokenPacker; the first checkpoints have no scale_factor. */
    @Test
    void aTokenPackerHasTheKeysOfItsOfficialCode() throws IOException {
        ModelKind kind = new ModelKind.Llava(config("tokenpacker_4x4"));
        Path model = folder.resolve("model");
        new RandomCheckpoint(kind, DType.BF16, 3).write(model, null, (done, total) -> {});
        Path config = model.resolve("config.json");
        String text = Files.readString(config);
        assertThat(text).contains("\"mm_projector_type\" : \"tokenpacker\"").contains("\"scale_factor\" : 4");
        try (Checkpoint checkpoint = Checkpoint.open(model).requireComplete()) {
            assertThat(checkpoint.kind()).isEqualTo(kind);
            assertThat(checkpoint.config().tokensPerImage()).isEqualTo(1);
            for (CheckpointLayout layout :
                    List.of(CheckpointLayout.HF_OLD, CheckpointLayout.HF_NEW, CheckpointLayout.GGUF)) {
                assertThatThrownBy(() -> SmallModel.convert(model, folder.resolve("t"), layout, null))
                        .hasMessageContaining("its projector is tokenpacker_4x4");
            }
        }
        Files.writeString(config, text.replaceFirst("\"scale_factor\" : 4,", ""));
        try (Checkpoint checkpoint = Checkpoint.open(model).requireComplete()) {
            assertThat(checkpoint.config().projectorType()).isEqualTo("tokenpacker_2x2");
        }
        for (String wrong : List.of("1", "12", "\"2\"")) {
            Files.writeString(config, text.replace("\"scale_factor\" : 4", "\"scale_factor\" : " + wrong));
            assertThatThrownBy(() -> Checkpoint.open(model))
                    .isInstanceOf(ConfigException.class)
                    .hasMessageContaining("scale_factor");
        }
        Files.writeString(config, text.replace("\"scale_factor\" : 4", "\"scale_factor\" : 3"));
        assertThatThrownBy(() -> Checkpoint.open(model))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("config.json: mm_projector_type: projector type tokenpacker_3x3")
                .hasMessageContaining("4 x 4");
    }

    private static LlavaConfig config(String type) {
        VisionConfig vision = new VisionConfig(16, 32, 2, 2, 32, 8, 1e-5, "quick_gelu", List.of());
        TextConfig text = new TextConfig(16, 24, 2, 4, 2, 24, 80, 1e-5, 10000, false, 1, 2, 0);
        return new LlavaConfig(vision, text, type, -2, false, AspectMode.PAD, -1, 0);
    }
}
