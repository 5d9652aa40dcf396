package io.llava4j.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.image.AspectMode;
import io.llava4j.model.Initializer;
import io.llava4j.model.Projector;
import io.llava4j.model.VisionTower;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.Workers;
import java.util.ArrayList;
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
        return config(activation, List.of());
    }

    private static LlavaConfig config(String activation, List<Integer> stemChannels) {
        VisionConfig vision = new VisionConfig(48, 80, 3, 2, 56, 8, 1e-5, activation, stemChannels);
        return new LlavaConfig(vision, TEXT, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0);
    }

    static Stream<Kernels> available() {
        return Arrays.stream(Kernels.values()).filter(Kernels::isAvailable);
    }

    @ParameterizedTest
    @MethodSource("available")
    void featuresAreThoseOfTheEngine(Kernels kernels) {
        for (LlavaConfig config :
                List.of(config("quick_gelu"), config("gelu"), config("quick_gelu", List.of(16, 24, 40)))) {
            try (Weights weights = weights(config);
                    Workers workers = new Workers(3)) {
                Engine.inference("a test", () -> {
                    Tensor pixels = pixels(2);
                    float[] expected =
                            Tensors.toFloats(VisionTower.of(config, weights).features(pixels));
                    float[] actual = Tensors.toFloats(tower(config, weights, BlockFormat.F32, kernels, workers)
                            .features(pixels));
                    assertClose(actual, expected, 2e-5);
                    return null;
                });
            }
        }
    }

    @ParameterizedTest
    @MethodSource("available")
    void imageTokensAreThoseOfTheEngine(Kernels kernels) {
        for (String type : List.of("mlp2x_gelu", "mlp3x_gelu", "linear", "identity")) {
            TextConfig text = type.equals("identity")
                    ? new TextConfig(48, 24, 2, 4, 2, 24, 40, 1e-5, 10000, false, 1, 2, 0)
                    : TEXT;
            LlavaConfig config =
                    new LlavaConfig(config("quick_gelu").vision(), text, type, -2, false, AspectMode.PAD, -1, 0);
            Weights weights = new Weights();
            try (Workers workers = new Workers(3)) {
                Engine.inference("a test", () -> {
                    Initializer initializer = new Initializer(5);
                    ProjectorType.parse(type)
                            .layers(48, text.hiddenSize())
                            .forEach(layer ->
                                    layer.shapes().forEach((name, shape) -> initializer.fill(weights, name, shape)));
                    weights.names()
                            .forEach(name ->
                                    weights.get(name).mul_(Tensors.scalar(2)).add_(Tensors.scalar(0.1)));
                    Tensor features = torch.randn(2, 7, 48).mul(Tensors.scalar(2));
                    float[] expected =
                            Tensors.toFloats(Projector.of(config, weights).forward(features));
                    Tensor actual = new CpuProjector(
                                    config, CpuModels.stored(weights, BlockFormat.F32), kernels, workers)
                            .forward(features);
                    assertThat(Tensors.shape(actual)).containsExactly(2, 7, text.hiddenSize());
                    assertClose(Tensors.toFloats(actual), expected, 1e-4);
                    return null;
                });
            }
            weights.close();
        }
    }

    /** Float kernels give the same bits everywhere but for the softmax and norms, which do as well. */
    @ParameterizedTest
    @MethodSource("available")
    void allKernelsGiveTheSameBits(Kernels kernels) {
        LlavaConfig config = config("quick_gelu");
        try (Weights weights = weights(config);
                Workers workers = new Workers(2)) {
            Engine.inference("a test", () -> {
                Tensor pixels = pixels(1);
                float[] expected = Tensors.toFloats(tower(config, weights, BlockFormat.F16, Kernels.SCALAR, workers)
                        .features(pixels));
                assertThat(Tensors.toFloats(tower(config, weights, BlockFormat.F16, kernels, workers)
                                .features(pixels)))
                        .containsExactly(expected);
                return null;
            });
        }
    }

    @Test
    void anImagesFeaturesDoNotDependOnOthers() {
        LlavaConfig config = config("quick_gelu");
        try (Weights weights = weights(config);
                Workers workers = new Workers(2)) {
            Engine.inference("a test", () -> {
                VisionTower tower = tower(config, weights, BlockFormat.F32, Kernels.instance(), workers);
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
    void freedBuffersChangeNothing() {
        LlavaConfig config = config("quick_gelu", List.of(16, 24, 40));
        try (Weights weights = weights(config);
                Workers workers = new Workers(2)) {
            Engine.inference("a test", () -> {
                CpuClipTower tower = tower(config, weights, BlockFormat.F16, Kernels.instance(), workers);
                Tensor pixels = pixels(2);
                float[] expected = Tensors.toFloats(tower.features(pixels));
                tower.freeBuffers();
                tower.freeBuffers();
                assertThat(Tensors.toFloats(tower.features(pixels))).containsExactly(expected);
                return null;
            });
        }
    }

    @Test
    void blocksAfterTheSelectedStateAreNotLoaded() {
        LlavaConfig config = config("quick_gelu");
        try (Weights weights = weights(config);
                Workers workers = new Workers(2)) {
            Engine.inference("a test", () -> {
                List<String> packed = new ArrayList<>();
                CpuWeights stored = CpuModels.stored(weights, BlockFormat.F32);
                CpuWeights observed = new CpuWeights() {
                    @Override
                    public Stored get(String name) {
                        packed.add(name);
                        return stored.get(name);
                    }

                    @Override
                    public void release(Stored released) {}
                };
                new CpuClipTower(config, observed, Kernels.SCALAR, workers).close();
                assertThat(packed)
                        .anyMatch(name -> name.contains("layers.1."))
                        .noneMatch(name -> name.contains("layers.2."));
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
        try (Weights weights = weights(config);
                Workers workers = new Workers(2)) {
            Engine.inference("a test", () -> {
                Tensor pixels = pixels(1);
                float[] expected = Tensors.toFloats(tower(config, weights, BlockFormat.F32, Kernels.instance(), workers)
                        .features(pixels));
                float[] actual = Tensors.toFloats(tower(config, weights, BlockFormat.Q8_0, Kernels.instance(), workers)
                        .features(pixels));
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

    /** Random weights with large queries, so that attention is far from uniform. */
    private static Weights weights(LlavaConfig config) {
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
            });
            return null;
        });
        return weights;
    }

    private static CpuClipTower tower(
            LlavaConfig config, Weights weights, BlockFormat matrices, Kernels kernels, Workers workers) {
        return new CpuClipTower(config, CpuModels.stored(weights, matrices), kernels, workers);
    }
}
