package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.BlockFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which type every tensor gets; the expectations for 7B are llama.cpp's Q4_K_M files of LLaMA-2-7B. */
class GgufTypesTest {
    private static final TextConfig TEXT = LlavaConfig.LLAVA_1_5_7B.text();

    private static BlockFormat type(GgufTypes types, TextConfig text, String name, long... shape) {
        return types.of(name, shape, text);
    }

    @Test
    void q4KMGivesMoreBitsWhereLlamaCppDoes() {
        GgufTypes types = GgufTypes.of(Precision.Q4_K_M);
        List<Integer> more = new ArrayList<>();
        for (int layer = 0; layer < TEXT.layers(); layer++) {
            String prefix = "model.layers." + layer + ".";
            BlockFormat down = type(types, TEXT, prefix + "mlp.down_proj.weight", 4096, 11008);
            assertThat(type(types, TEXT, prefix + "self_attn.v_proj.weight", 4096, 4096))
                    .isEqualTo(down);
            if (down == BlockFormat.Q6_K) {
                more.add(layer);
            }
            for (String other : List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.o_proj", "mlp.up_proj")) {
                assertThat(type(types, TEXT, prefix + other + ".weight", 4096, 4096))
                        .isEqualTo(BlockFormat.Q4_K);
            }
            assertThat(type(types, TEXT, prefix + "input_layernorm.weight", 4096))
                    .isEqualTo(BlockFormat.F32);
        }
        assertThat(more).containsExactly(0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29, 30, 31);
        assertThat(type(types, TEXT, "lm_head.weight", 32000, 4096)).isEqualTo(BlockFormat.Q6_K);
        assertThat(type(types, TEXT, "model.embed_tokens.weight", 32000, 4096)).isEqualTo(BlockFormat.Q4_K);
    }

    /** The tensors of llama.cpp's Q4_K_M file of LLaMA-2-7B take 4.08 GB, 4.84 bits a weight. */
    @Test
    void q4KMOf7bHasTheSizeOfLlamaCpps() {
        long[] total = new long[2];
        ExpectedTensors.of(new ModelKind.Llama(TEXT)).shapes().forEach((name, shape) -> {
            long elements = Arrays.stream(shape).reduce(1, (a, b) -> a * b);
            total[0] += elements;
            total[1] += type(GgufTypes.of(Precision.Q4_K_M), TEXT, name, shape).bytes(elements);
        });
        assertThat(total[1]).isBetween(4_080_000_000L, 4_081_004_224L);
        assertThat(8.0 * total[1] / total[0]).isBetween(4.84, 4.85);
    }

    @Test
    void theOutputMatrixNeverHasFourBits() {
        TextConfig tied = new TextConfig(256, 512, 2, 2, 2, 300, 128, 1e-5, 10000, true, 1, 2, 0);
        for (Precision precision : List.of(Precision.Q4_0, Precision.Q4_K_M)) {
            BlockFormat wider = precision == Precision.Q4_0 ? BlockFormat.Q8_0 : BlockFormat.Q6_K;
            GgufTypes types = GgufTypes.of(precision);
            assertThat(type(types, tied, "model.embed_tokens.weight", 300, 256)).isEqualTo(wider);
            assertThat(type(types, TEXT, "model.embed_tokens.weight", 300, 256)).isNotEqualTo(wider);
            assertThat(type(types, TEXT, "lm_head.weight", 300, 256)).isEqualTo(wider);
        }
    }

    @Test
    void rowsThatAreNoWholeBlocksGetWiderTypes() {
        GgufTypes types = GgufTypes.of(Precision.Q4_K_M);
        assertThat(type(types, TEXT, "model.layers.0.mlp.up_proj.weight", 64, 288))
                .isEqualTo(BlockFormat.Q8_0);
        assertThat(type(types, TEXT, "model.layers.0.mlp.up_proj.weight", 64, 80))
                .isEqualTo(BlockFormat.F16);
        assertThat(type(GgufTypes.of(Precision.Q4_0), TEXT, "model.layers.0.mlp.up_proj.weight", 64, 80))
                .isEqualTo(BlockFormat.F16);
    }

    @Test
    void towerAndProjectorHaveTypesOfTheirOwn() {
        GgufTypes types = new GgufTypes(Precision.Q4_0, Precision.Q8_0, Precision.F16);
        String tower = "model.vision_tower.vision_tower.vision_model.";
        assertThat(type(types, TEXT, tower + "encoder.layers.0.mlp.fc1.weight", 4096, 1024))
                .isEqualTo(BlockFormat.Q8_0);
        assertThat(type(types, TEXT, tower + "encoder.layers.0.mlp.fc1.bias", 4096))
                .isEqualTo(BlockFormat.F32);
        assertThat(type(types, TEXT, tower + "embeddings.patch_embedding.weight", 1024, 3, 14, 14))
                .isEqualTo(BlockFormat.F16);
        assertThat(type(types, TEXT, tower + "embeddings.position_embedding.weight", 577, 1024))
                .isEqualTo(BlockFormat.F32);
        assertThat(type(types, TEXT, "model.mm_projector.0.weight", 4096, 1024)).isEqualTo(BlockFormat.F16);
    }
}
