package io.llava4j.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.image.AspectMode;
import io.llava4j.model.Initializer;
import io.llava4j.model.VisionTower;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The tower on the kernels against the one on the tensor engine, on the same random weights. */
class CpuClipTowerTest {
    private static final TextConfig TEXT = new TextConfig(16, 24, 2, 4, 2, 24, 40, 1e-5, 10000, false, 1, 2, 0);

    /** 50 positions fill a tile of queries and a part of the next; heads of 24 fill none. */
    private static LlavaConfig config(String activation) {
        VisionConfig vision = new VisionConfig(48, 80, 3, 2, 56, 8, 1e-5, activation, List.of());
        return new LlavaConfig(vision, TEXT, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0);
    }

    static Stream<Kernels> available() {
        return Arrays.stream(Kernels.values()).filter(Kernels::isAvailable);
    }

    @ParameterizedTest
    @MethodSource("available")
    void featuresAreThoseOfTheEngine(Kernels kernels) {
        for (String activation : List.of("quick_gelu", "gelu")) {
            LlavaConfig config = config(activation);
            try (Weights weights = weights(config, BlockFormat.F32);
                    Workers workers = new Workers(3)) {
                Engine.inference("a test", () -> {
                    Tensor pixels = pixels(2);
                    float[] expected =
                            Tensors.toFloats(VisionTower.of(config, weights).features(pixels));
                    float[] actual =
                            Tensors.toFloats(new CpuClipTower(config, weights, kernels, workers).features(pixels));
                    assertClose(actual, expected, 2e-5);
                    return null;
                });
            }
        }
    }

    /** Float kernels give the same bits everywhere but for the softmax and norms, which do as well. */
    @ParameterizedTest
    @MethodSource("available")
    void allKernelsGiveTheSameBits(Kernels kernels) {
        LlavaConfig config = config("quick_gelu");
        try (Weights weights = weights(config, BlockFormat.F16);
                Workers workers = new Workers(2)) {
            Engine.inference("a test", () -> {
                Tensor pixels = pixels(1);
                float[] expected =
                        Tensors.toFloats(new CpuClipTower(config, weights, Kernels.SCALAR, workers).features(pixels));
                assertThat(Tensors.toFloats(new CpuClipTower(config, weights, kernels, workers).features(pixels)))
                        .containsExactly(expected);
                return null;
            });
        }
    }

    @Test
    void anImagesFeaturesDoNotDependOnOthers() {
        LlavaConfig config = config("quick_gelu");
        try (Weights weights = weights(config, BlockFormat.F32);
                Workers workers = new Workers(2)) {
            Engine.inference("a test", () -> {
                VisionTower tower = new CpuClipTower(config, weights, Kernels.instance(), workers);
                Tensor pixels = pixels(45); // more than one pass takes
                Tensor together = tower.features(pixels);
                for (int image : new int[] {0, 19, 20, 44}) {
                    assertThat(Tensors.toFloats(tower.features(pixels.narrow(0, image, 1))))
                            .containsExactly(Tensors.toFloats(together.narrow(0, image, 1)));
                }
                return null;
            });
        }
    }

    @Test
    void blocksOfEightBitsAreNearTheFloats() {
        LlavaConfig config = new LlavaConfig(
                new VisionConfig(64, 96, 3, 2, 56, 8, 1e-5, "quick_gelu", List.of()),
                TEXT,
                "mlp2x_gelu",
                -2,
                false,
                AspectMode.PAD,
                -1,
                0);
        try (Weights exact = weights(config, BlockFormat.F32);
                Weights rounded = weights(config, BlockFormat.Q8_0);
                Workers workers = new Workers(2)) {
            Engine.inference("a test", () -> {
                Tensor pixels = pixels(1);
                float[] expected =
                        Tensors.toFloats(new CpuClipTower(config, exact, Kernels.instance(), workers).features(pixels));
                float[] actual = Tensors.toFloats(
                        new CpuClipTower(config, rounded, Kernels.instance(), workers).features(pixels));
                assertThat(actual).isNotEqualTo(expected);
                assertClose(actual, expected, 0.05);
                return null;
            });
        }
    }

    private static void assertClose(float[] actual, float[] expected, double tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], within((float) tolerance));
        }
    }

    private static Tensor pixels(long images) {
        float[] values = new float[Math.toIntExact(images * 3 * 56 * 56)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.sin(i * 0.37 + i % 1013);
        }
        return Tensors.of(values, images, 3, 56, 56);
    }

    /** Random weights with large queries, so that attention is far from uniform; both as tensors and packed. */
    private static Weights weights(LlavaConfig config, BlockFormat format) {
        Weights weights = new Weights();
        Initializer initializer = new Initializer(3);
        Engine.scope("a test", () -> {
            ClipParameters.of(config.vision()).shapes().forEach((name, shape) -> {
                initializer.fill(weights, name, shape);
                if (name.endsWith("bias") || name.contains("q_proj") || name.contains("k_proj")) {
                    Tensor larger = weights.get(name)
                            .mul(Tensors.scalar(8))
                            .add(torch.sin(torch.arange(Tensors.scalar(shape[0]))
                                    .view(shape.length == 1 ? new long[] {shape[0]} : new long[] {shape[0], 1})))
                            .to(Tensors.FLOAT);
                    weights.put(name, larger);
                }
                if (shape.length == 2 && !name.endsWith("position_embedding.weight")) {
                    weights.put(name, packed(weights.get(name), format));
                }
            });
            return null;
        });
        return weights;
    }

    private static PackedMatrix packed(Tensor weight, BlockFormat format) {
        MemorySegment floats = MemorySegment.ofArray(Tensors.toFloats(weight));
        MemorySegment rows = MemorySegment.ofArray(new byte[Math.toIntExact(format.bytes(weight.numel()))]);
        assertThat(TensorCast.cast(BlockFormat.F32, floats, weight.numel(), format, rows))
                .isTrue();
        return PackedMatrix.pack(
                format, rows, Math.toIntExact(weight.size(0)), Math.toIntExact(weight.size(1)), Workers.shared());
    }
}
