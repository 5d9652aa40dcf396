package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.image.AspectMode;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.format.DType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The tiny checkpoints written by the reference code, in every layout. */
class GoldenCheckpointTest {
    private static final Path TINY = Path.of("../../shared/goldens/tiny-llava");

    @BeforeEach
    void needGoldens() {
        Assumptions.assumeTrue(Files.isDirectory(TINY), "no reference data at " + TINY);
    }

    @ParameterizedTest
    @CsvSource({
        "mha/hf-old-fp32, HF_OLD, F32",
        "mha/hf-old-bf16, HF_OLD, BF16",
        "mha/liuhaotian-fp32, LIUHAOTIAN, F32",
        "gqa/hf-old-fp32, HF_OLD, F32",
        "gqa/hf-new-bf16, HF_NEW, BF16",
        "gqa/liuhaotian-withtower-bf16, LIUHAOTIAN, BF16",
        "vocab32064/hf-old-fp16, HF_OLD, F16"
    })
    void everyLayoutHoldsTheWholeCanonicalSet(String folder, CheckpointLayout layout, DType dtype) {
        try (Checkpoint checkpoint = Checkpoint.open(TINY.resolve(folder)).requireComplete()) {
            assertThat(checkpoint.layout()).isEqualTo(layout);
            assertThat(checkpoint.tensor("model.layers.1.mlp.up_proj.weight").dtype())
                    .isEqualTo(dtype);
            LlavaConfig config = checkpoint.config();
            assertThat(config.selectLayer()).isEqualTo(-2);
            assertThat(config.keepCls()).isFalse();
            assertThat(config.projectorType()).isEqualTo("mlp2x_gelu");
            assertThat(config.tokensPerImage()).isEqualTo(16);
            assertThat(config.aspectMode())
                    .isEqualTo(layout == CheckpointLayout.LIUHAOTIAN ? AspectMode.PAD : AspectMode.CROP);
        }
    }

    @Test
    void configurationsAreRead() {
        try (Checkpoint gqa = Checkpoint.open(TINY.resolve("gqa/hf-new-bf16"));
                Checkpoint large = Checkpoint.open(TINY.resolve("vocab32064/hf-old-fp16"));
                Checkpoint liuhaotian = Checkpoint.open(TINY.resolve("gqa/liuhaotian-withtower-bf16"))) {
            assertThat(gqa.config().text().kvHeads()).isEqualTo(2);
            assertThat(gqa.config().text().rmsNormEps()).isEqualTo(1e-6);
            assertThat(gqa.config().imageTokenId()).isEqualTo(500);
            assertThat(gqa.config().vision())
                    .isEqualTo(new VisionConfig(64, 160, 4, 4, 56, 14, 1e-5, "quick_gelu", List.of()));
            assertThat(large.config().text().vocabSize()).isEqualTo(32064);
            assertThat(large.config().imageTokenId()).isEqualTo(32000);
            assertThat(liuhaotian.config().vision()).isEqualTo(gqa.config().vision());
            assertThat(liuhaotian.config().text()).isEqualTo(gqa.config().text());
            assertThat(liuhaotian.config().imageTokenId()).isEqualTo(-1);
        }
    }

    @Test
    void twoLayoutsOfOneModelAreBitwiseEqual() {
        try (Checkpoint hf = Checkpoint.open(TINY.resolve("mha/hf-old-fp32"));
                Checkpoint liuhaotian = Checkpoint.open(TINY.resolve("mha/liuhaotian-fp32"))) {
            assertThat(liuhaotian.tensors().keySet())
                    .containsExactlyInAnyOrderElementsOf(hf.tensors().keySet());
            for (TensorEntry tensor : hf.tensors().values()) {
                assertThat(tensor.data()
                                .mismatch(liuhaotian.tensor(tensor.name()).data()))
                        .as(tensor.name())
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void bfloat16IsTheRoundedFloat() {
        try (Checkpoint fp32 = Checkpoint.open(TINY.resolve("gqa/hf-old-fp32"));
                Checkpoint bf16 = Checkpoint.open(TINY.resolve("gqa/hf-new-bf16"));
                Checkpoint embedded = Checkpoint.open(TINY.resolve("gqa/liuhaotian-withtower-bf16"))) {
            for (TensorEntry tensor : fp32.tensors().values()) {
                float[] exact = tensor.toFloats();
                float[] rounded = bf16.tensor(tensor.name()).toFloats();
                assertThat(embedded.tensor(tensor.name()).toFloats()).isEqualTo(rounded);
                float[] nearest = new float[exact.length];
                for (int i = 0; i < exact.length; i++) {
                    nearest[i] = nearestBfloat16(exact[i]);
                }
                assertThat(rounded).as(tensor.name()).isEqualTo(nearest);
            }
        }
    }

    /** Round to nearest, ties to even, on the upper 16 bits. */
    private static float nearestBfloat16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return Float.intBitsToFloat((bits + 0x7FFF + ((bits >>> 16) & 1)) & 0xFFFF0000);
    }

    @ParameterizedTest
    @CsvSource({"gqa/hf-old-fp32, gqa/hf-new-bf16", "mha/liuhaotian-fp32, mha/liuhaotian-bin-fp16"})
    void roundingGivesTheReferencesBits(String full, String rounded) {
        try (Checkpoint fp32 = Checkpoint.open(TINY.resolve(full));
                Checkpoint half = Checkpoint.open(TINY.resolve(rounded))) {
            for (TensorEntry wanted : half.tensors().values()) {
                float[] exact = fp32.tensor(wanted.name()).toFloats();
                TensorSource own = TensorSource.rounded(wanted.name(), wanted.dtype(), () -> exact, wanted.shape());
                assertThat(own.data().get().mismatch(wanted.data()))
                        .as(wanted.name())
                        .isEqualTo(-1);
            }
        }
    }

    @Test
    void clipAloneIsReadWithoutItsTextTower() {
        try (Checkpoint clip =
                Checkpoint.open(TINY.resolve("mha/clip-vit-tiny")).requireComplete()) {
            assertThat(clip.kind())
                    .isEqualTo(
                            new ModelKind.Clip(new VisionConfig(64, 128, 4, 4, 56, 14, 1e-5, "quick_gelu", List.of())));
            assertThat(clip.ignored())
                    .containsExactlyInAnyOrder(
                            "logit_scale",
                            "text_model.embeddings.token_embedding.weight",
                            "text_model.final_layer_norm.bias",
                            "text_model.final_layer_norm.weight",
                            "text_projection.weight",
                            "visual_projection.weight",
                            "vision_model.embeddings.position_ids");
            assertThatThrownBy(clip::config).hasMessageContaining("holds only a CLIP vision tower");
        }
    }

    @Test
    void stageOneConnectorIsReadAlone() {
        try (Checkpoint projector = Checkpoint.open(TINY.resolve("mha/mm_projector.safetensors"))
                        .requireComplete();
                Checkpoint model = Checkpoint.open(TINY.resolve("mha/hf-old-fp32"))) {
            assertThat(projector.kind()).isEqualTo(new ModelKind.Projector("mlp2x_gelu", 64, 96));
            assertThat(projector.tensors()).hasSize(4);
            projector
                    .tensors()
                    .forEach((name, tensor) -> assertThat(tensor.toFloats())
                            .hasSameSizeAs(model.tensor(name).toFloats()));
        }
    }
}
