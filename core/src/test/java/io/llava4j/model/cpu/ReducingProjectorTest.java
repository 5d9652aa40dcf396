package io.llava4j.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.image.AspectMode;
import io.llava4j.model.Initializer;
import io.llava4j.model.Projector;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.Workers;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Projectors that make one image token of a square of patches, against plain loops in double precision. */
class ReducingProjectorTest {
    private static final int HIDDEN = 32;
    private static final int WIDTH = 24;
    private static final int IMAGES = 3;

    @ParameterizedTest
    @CsvSource({
        "avg_pool_2x2_mlp2x_gelu, 4",
        "pixel_shuffle_2x2_mlp2x_gelu, 4",
        "avg_pool_3x3_mlp1x_gelu, 6",
        "pixel_shuffle_3x3_mlp3x_gelu, 6"
    })
    void bothPathsGiveTheTokensOfTheReference(String type, int grid) {
        LlavaConfig config = config(type, grid);
        int tokens = config.tokensPerImage();
        assertThat(tokens).isEqualTo(grid * grid / ProjectorType.parse(type).patchesPerToken());
        try (Weights weights = weights(config);
                Workers workers = new Workers(3)) {
            Engine.inference("a test", () -> {
                double[][][] features = features(grid);
                Tensor input = tensor(features);
                Tensor onEngine = Projector.of(config, weights).forward(input);
                CpuProjector kernels = new CpuProjector(
                        config, CpuModels.stored(weights, BlockFormat.F32), Kernels.instance(), workers);
                Tensor onKernels = kernels.forward(input);
                assertThat(Tensors.shape(onEngine)).containsExactly(IMAGES, tokens, WIDTH);
                assertThat(Tensors.shape(onKernels)).containsExactly(IMAGES, tokens, WIDTH);
                double[] expected = Arrays.stream(features)
                        .flatMapToDouble(image -> Arrays.stream(reference(config, weights, image)))
                        .toArray();
                assertClose(Tensors.toFloats(onEngine), expected);
                assertClose(Tensors.toFloats(onKernels), expected);
                for (int image = 0; image < IMAGES; image++) {
                    assertThat(kernels.project(
                                    Tensors.memory(input.narrow(0, image, 1).contiguous())))
                            .containsExactly(Tensors.toFloats(onKernels.narrow(0, image, 1)));
                }
                kernels.close();
                return null;
            });
        }
    }

    /** The change of a weighted sum of the tokens, by the reference, when one feature or one weight changes a little. */
    @ParameterizedTest
    @ValueSource(strings = {"avg_pool_2x2_mlp2x_gelu", "pixel_shuffle_2x2_mlp2x_gelu"})
    void gradientsAreThoseOfTheReference(String type) {
        LlavaConfig config = config(type, 4);
        try (Weights weights = weights(config)) {
            Engine.scope("a test", () -> {
                double[][][] features = {features(4)[0]};
                Tensor input = tensor(features).requires_grad_(true);
                Tensor weight = weights.get(ProjectorType.PREFIX + "0.weight").requires_grad_(true);
                Tensor tokens = Projector.of(config, weights).forward(input);
                float[] factors = new float[Math.toIntExact(tokens.numel())];
                SplittableRandom random = new SplittableRandom(8);
                for (int i = 0; i < factors.length; i++) {
                    factors[i] = (float) random.nextDouble(-1, 1);
                }
                tokens.mul(Tensors.of(factors, Tensors.shape(tokens))).sum().backward();
                float[] ofInput = Tensors.toFloats(input.grad());
                float[] ofWeight = Tensors.toFloats(weight.grad());
                double step = 1e-3;
                for (int patch = 0; patch < 16; patch++) {
                    int channel = patch * 7 % HIDDEN;
                    double[][] above = changed(features[0], patch, channel, step);
                    double[][] below = changed(features[0], patch, channel, -step);
                    double slope = (weighted(reference(config, weights, above), factors)
                                    - weighted(reference(config, weights, below), factors))
                            / (2 * step);
                    assertThat((double) ofInput[patch * HIDDEN + channel]).isCloseTo(slope, within(1e-4));
                }
                Tensor flat = weight.detach().view(-1);
                assertThat(ofWeight).hasSize(Math.toIntExact(flat.numel()));
                for (int at = 3; at < ofWeight.length; at += ofWeight.length / 9) {
                    double slope = (weightedWith(config, weights, features[0], factors, flat, at, 1 / 64f)
                                    - weightedWith(config, weights, features[0], factors, flat, at, -1 / 64f))
                            * 32;
                    assertThat((double) ofWeight[at]).isCloseTo(slope, within(5e-3));
                }
                return null;
            });
        }
    }

    @Test
    void whatDoesNotFitIsRefusedByName() {
        assertThatThrownBy(() -> config("pixel_shuffle_3x3_mlp2x_gelu", 4))
                .isInstanceOf(ConfigException.class)
                .hasMessage(
                        "projector type pixel_shuffle_3x3_mlp2x_gelu needs a grid of patches that 3 divides, but the"
                                + " vision tower's is 4 x 4; choose another square");
        LlavaConfig usual = config("mlp2x_gelu", 4);
        assertThatThrownBy(() -> new LlavaConfig(
                        usual.vision(), usual.text(), "avg_pool_2x2_mlp2x_gelu", -2, true, AspectMode.PAD, -1, 0))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("avg_pool_2x2_mlp2x_gelu joins squares of patches")
                .hasMessageContaining("CLS");
        for (String unknown :
                List.of("avg_pool_2x3_mlp2x_gelu", "avg_pool_1x1_mlp2x_gelu", "pixel_shuffle_2x2_linear")) {
            assertThat(ProjectorType.find(unknown)).isEmpty();
        }
    }

    private static LlavaConfig config(String type, int grid) {
        VisionConfig vision = new VisionConfig(HIDDEN, 40, 3, 2, 8 * grid, 8, 1e-5, "quick_gelu", List.of());
        TextConfig text = new TextConfig(WIDTH, 24, 2, 4, 2, 24, 80, 1e-5, 10000, false, 1, 2, 0);
        return new LlavaConfig(vision, text, type, -2, false, AspectMode.PAD, -1, 0);
    }

    private static Weights weights(LlavaConfig config) {
        Weights weights = new Weights();
        Engine.scope("weights", () -> {
            Initializer initializer = new Initializer(5);
            layers(config)
                    .forEach(layer -> layer.shapes().forEach((name, shape) -> initializer.fill(weights, name, shape)));
            return null;
        });
        return weights;
    }

    private static List<Parameters.Linear> layers(LlavaConfig config) {
        return ProjectorType.parse(config.projectorType()).layers(HIDDEN, WIDTH);
    }

    /** {@code [images][patches][hidden]}. */
    private static double[][][] features(int grid) {
        SplittableRandom random = new SplittableRandom(grid);
        double[][][] features = new double[IMAGES][grid * grid][HIDDEN];
        for (double[][] image : features) {
            for (double[] patch : image) {
                Arrays.setAll(patch, i -> (float) random.nextDouble(-2, 2));
            }
        }
        return features;
    }

    private static Tensor tensor(double[][][] features) {
        float[] values = new float[features.length * features[0].length * HIDDEN];
        int at = 0;
        for (double[][] image : features) {
            for (double[] patch : image) {
                for (double value : patch) {
                    values[at++] = (float) value;
                }
            }
        }
        return Tensors.of(values, features.length, features[0].length, HIDDEN);
    }

    private static double[][] changed(double[][] features, int patch, int channel, double by) {
        double[][] copy = Arrays.stream(features).map(double[]::clone).toArray(double[][]::new);
        copy[patch][channel] += by;
        return copy;
    }

    /** The weighted sum when one element of a weight is another by {@code change}. */
    private static double weightedWith(
            LlavaConfig config, Weights weights, double[][] image, float[] factors, Tensor flat, int at, float change) {
        Tensor element = flat.narrow(0, at, 1);
        element.add_(Tensors.scalar(change));
        double sum = weighted(reference(config, weights, image), factors);
        element.sub_(Tensors.scalar(change));
        return sum;
    }

    private static double weighted(double[] tokens, float[] factors) {
        double sum = 0;
        for (int i = 0; i < tokens.length; i++) {
            sum += tokens[i] * factors[i];
        }
        return sum;
    }

    /** Tokens of an image: for each square from the top left, its patches one after another or their mean; then the layers. */
    private static double[] reference(LlavaConfig config, Weights weights, double[][] patches) {
        ProjectorType type = ProjectorType.parse(config.projectorType());
        int edge = type.edge();
        int grid = config.vision().grid();
        double[] all = new double[config.tokensPerImage() * WIDTH];
        int token = 0;
        for (int top = 0; top < grid; top += edge) {
            for (int left = 0; left < grid; left += edge) {
                double[] joined = new double[edge * edge * HIDDEN];
                for (int y = 0; y < edge; y++) {
                    for (int x = 0; x < edge; x++) {
                        double[] patch = patches[(top + y) * grid + left + x];
                        System.arraycopy(patch, 0, joined, (y * edge + x) * HIDDEN, HIDDEN);
                    }
                }
                double[] x = joined;
                if (type.name().startsWith("avg_pool")) {
                    x = new double[HIDDEN];
                    for (int i = 0; i < joined.length; i++) {
                        x[i % HIDDEN] += joined[i] / (edge * edge);
                    }
                }
                for (int layer = 0; layer < type.depth(); layer++) {
                    x = linear(weights, ProjectorType.PREFIX + 2 * layer + ".", layer == 0 ? x : gelu(x));
                }
                System.arraycopy(x, 0, all, token++ * WIDTH, WIDTH);
            }
        }
        return all;
    }

    private static double[] linear(Weights weights, String prefix, double[] x) {
        float[] weight = Tensors.toFloats(weights.get(prefix + "weight").detach());
        float[] bias = Tensors.toFloats(weights.get(prefix + "bias").detach());
        double[] y = new double[bias.length];
        for (int out = 0; out < y.length; out++) {
            y[out] = bias[out];
            for (int in = 0; in < x.length; in++) {
                y[out] += weight[out * x.length + in] * x[in];
            }
        }
        return y;
    }

    private static double[] gelu(double[] x) {
        return Arrays.stream(x).map(v -> v * (1 + erf(v / Math.sqrt(2))) / 2).toArray();
    }

    /** By its Taylor series, exact for arguments as small as these. */
    private static double erf(double x) {
        double term = x;
        double sum = x;
        for (int n = 1; n < 80; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }

    private static void assertClose(float[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as("number %d", i).isCloseTo(expected[i], within(1e-5));
        }
    }
}
