package io.llava4j.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.ClipVisionTower;
import io.llava4j.model.Initializer;
import io.llava4j.model.VisionTower;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.ProjectorType;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.model.prune.VisionZip;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import io.llava4j.tensor.format.BlockFormat;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** VisionZip against its official code's steps in plain loops and double precision. */
class VisionZipTest {
    private static final int HIDDEN = 48;
    private static final int HEADS = 3;
    private static final int GRID = 6;
    private static final int POSITIONS = GRID * GRID + 1;
    private static final int IMAGES = 2;
    private static final String BLOCK = "model.vision_tower.vision_tower.vision_model.encoder.layers.";

    @ParameterizedTest
    @CsvSource({"2, -2", "7, -2", "16, -2", "36, -2", "16, -1", "12, -4"})
    void bothPathsLeaveTheFeaturesOfTheReference(int tokens, int selectLayer) {
        LlavaConfig config = config("mlp2x_gelu", selectLayer).withVisionTokens(tokens);
        assertThat(config.tokensPerImage()).isEqualTo(tokens);
        try (Weights weights = new Weights()) {
            Engine.inference("a test", () -> {
                fill(weights, config);
                float[] pixels = pixels();
                Tensor images = Tensors.of(pixels, IMAGES, 3, 8 * GRID, 8 * GRID);
                int last = config.vision().blocksBefore(selectLayer);
                List<Tensor> states = new ClipVisionTower(config.vision(), weights).hiddenStates(images);
                double[] expected = IntStream.range(0, IMAGES)
                        .mapToObj(image -> reference(
                                weights,
                                last - 1,
                                rows(states.get(last - 1).select(0, image)),
                                rows(states.get(last).select(0, image)),
                                tokens))
                        .flatMapToDouble(Arrays::stream)
                        .toArray();
                Tensor onEngine = VisionTower.of(config, weights).features(images);
                assertThat(Tensors.shape(onEngine)).containsExactly(IMAGES, tokens, HIDDEN);
                assertClose(Tensors.toFloats(onEngine), expected);
                CpuImageEncoder encoder = CpuImageEncoder.load(config, CpuModels.stored(weights, BlockFormat.F32));
                Tensor onKernels = encoder.tower().features(images);
                assertThat(Tensors.shape(onKernels)).containsExactly(IMAGES, tokens, HIDDEN);
                assertClose(Tensors.toFloats(onKernels), expected);
                Tensor projected = encoder.projector().forward(onKernels);
                for (int image = 0; image < IMAGES; image++) {
                    int each = pixels.length / IMAGES;
                    ImageEncoding encoding = new ImageEncoding(
                            encoder, PreparedImage.of(Arrays.copyOfRange(pixels, image * each, (image + 1) * each)));
                    float[] encoded = encoding.advance(0);
                    while (encoded == null) {
                        encoded = encoding.advance(0);
                    }
                    assertThat(encoded).containsExactly(Tensors.toFloats(projected.narrow(0, image, 1)));
                }
                encoder.close();
                return null;
            });
        }
    }

    /** CLS and the most attended patches in their order; of the rest every step-th takes the mean of those most like it. */
    @Test
    void aSmallExampleByHand() {
        float[] attention = {9, 0.1f, 0.5f, 0.2f, 0.6f, 0.3f, 0.1f};
        float[][] keys = {{1, 1}, {1, 0}, {5, 5}, {3, 0.1f}, {5, 5}, {0, 2}, {9, 1}};
        VisionZip zip = VisionZip.of(attention, keys, 4);
        assertThat(zip.dominant()).containsExactly(0, 2, 4);
        assertThat(zip.merged()).hasDimensions(1, 7);
        assertThat(zip.merged()[0]).containsExactly(0, 1, 0, 1 / 3f, 0, 1 / 3f, 1 / 3f);

        VisionZip two = VisionZip.of(new float[20], keysOfTwoKinds(), 13);
        assertThat(two.dominant()).containsExactly(IntStream.range(0, 11).toArray());
        // Positions 11 to 19 are left; 11 and 15 are targets, the others join the one of their kind.
        assertThat(two.merged()[0]).containsExactly(sparse(20, 11, 1, 13, 1 / 3f, 17, 1 / 3f, 19, 1 / 3f));
        assertThat(two.merged()[1]).containsExactly(sparse(20, 15, 1, 12, 0.25f, 14, 0.25f, 16, 0.25f, 18, 0.25f));
    }

    private static float[][] keysOfTwoKinds() {
        float[][] keys = new float[20][];
        Arrays.setAll(keys, i -> new float[] {1 + i, 0});
        for (int of : new int[] {15, 12, 14, 16, 18}) {
            keys[of] = new float[] {0, of};
        }
        return keys;
    }

    private static float[] sparse(int size, float... pairs) {
        float[] values = new float[size];
        for (int i = 0; i < pairs.length; i += 2) {
            values[(int) pairs[i]] = pairs[i + 1];
        }
        return values;
    }

    @ParameterizedTest
    @CsvSource({"64, 10", "128, 20", "192, 30", "2, 1", "576, 90"})
    void thePapersShares(int tokens, int contextual) {
        assertThat(VisionZip.contextual(tokens)).isEqualTo(contextual);
    }

    @ParameterizedTest
    @ValueSource(strings = {"avg_pool_2x2_mlp2x_gelu", "pixel_shuffle_2x2_mlp2x_gelu", "tokenpacker_2x2"})
    void projectorsThatNeedTheWholeMapAreRefused(String type) {
        LlavaConfig config = config(type, -2);
        assertThatThrownBy(() -> config.withVisionTokens(8))
                .isInstanceOf(ConfigException.class)
                .hasMessage("vision tokens cannot be pruned: the projector " + type
                        + " joins squares of patches and needs all of them; leave out --vision-tokens");
        assertThat(config.withVisionTokens(0)).isEqualTo(config);
    }

    @Test
    void whatCannotBePrunedIsRefused() {
        LlavaConfig config = config("mlp2x_gelu", -2);
        assertThatThrownBy(() -> config.withVisionTokens(8).withAspectMode(AspectMode.ANYRES))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("tiles")
                .hasMessageContaining("leave out --vision-tokens");
        for (int wrong : new int[] {-3, 1, 37}) {
            assertThatThrownBy(() -> config.withVisionTokens(wrong))
                    .isInstanceOf(ConfigException.class)
                    .hasMessage("--vision-tokens is " + wrong
                            + "; write a number from 2 to 36, the model's patches of an image");
        }
        assertThatThrownBy(() -> config("mlp2x_gelu", 0).withVisionTokens(8))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("no block runs before the selected hidden state");
    }

    private static LlavaConfig config(String type, int selectLayer) {
        VisionConfig vision = new VisionConfig(HIDDEN, 64, 4, HEADS, 8 * GRID, 8, 1e-5, "quick_gelu", List.of());
        TextConfig text = new TextConfig(24, 24, 2, 4, 2, 24, 80, 1e-5, 10000, false, 1, 2, 0);
        return new LlavaConfig(vision, text, type, selectLayer, false, AspectMode.PAD, -1, 0);
    }

    private static void fill(Weights weights, LlavaConfig config) {
        Initializer initializer = new Initializer(9);
        ClipParameters.of(config.vision()).shapes().forEach((name, shape) -> initializer.fill(weights, name, shape));
        ProjectorType.parse(config.projectorType())
                .parameters(HIDDEN, 24)
                .forEach(part -> part.shapes().forEach((name, shape) -> initializer.fill(weights, name, shape)));
        // Biases that count.
        SplittableRandom random = new SplittableRandom(3);
        for (int block = 0; block < 4; block++) {
            for (String layer : List.of("q_proj", "k_proj")) {
                float[] bias = new float[HIDDEN];
                for (int i = 0; i < HIDDEN; i++) {
                    bias[i] = (float) random.nextDouble(-1, 1);
                }
                weights.put(BLOCK + block + ".self_attn." + layer + ".bias", Tensors.of(bias, HIDDEN));
            }
        }
    }

    private static float[] pixels() {
        SplittableRandom random = new SplittableRandom(4);
        float[] pixels = new float[IMAGES * 3 * 64 * GRID * GRID];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextDouble(-2, 2);
        }
        return pixels;
    }

    private static double[][] rows(Tensor states) {
        float[] values = Tensors.toFloats(states);
        double[][] rows = new double[values.length / HIDDEN][HIDDEN];
        for (int i = 0; i < values.length; i++) {
            rows[i / HIDDEN][i % HIDDEN] = values[i];
        }
        return rows;
    }

    /** The features of an image: dominant ones, then contextual ones. */
    private static double[] reference(Weights weights, int block, double[][] input, double[][] output, int tokens) {
        String prefix = BLOCK + block + ".";
        double[][] queries = new double[POSITIONS][];
        double[][] keys = new double[POSITIONS][];
        for (int position = 0; position < POSITIONS; position++) {
            double[] normed = norm(weights, prefix + "layer_norm1.", input[position]);
            queries[position] = linear(weights, prefix + "self_attn.q_proj.", normed);
            keys[position] = linear(weights, prefix + "self_attn.k_proj.", normed);
        }
        int d = HIDDEN / HEADS;
        double[] attention = new double[POSITIONS];
        double[][] metric = new double[POSITIONS][d];
        for (int head = 0; head < HEADS; head++) {
            double[] exponentials = new double[POSITIONS];
            for (int position = 0; position < POSITIONS; position++) {
                double score = 0;
                for (int i = head * d; i < (head + 1) * d; i++) {
                    score += queries[0][i] / Math.sqrt(d) * keys[position][i];
                    metric[position][i - head * d] += keys[position][i] / HEADS;
                }
                exponentials[position] = Math.exp(score);
            }
            double sum = Arrays.stream(exponentials).sum();
            for (int position = 0; position < POSITIONS; position++) {
                attention[position] += exponentials[position] / sum;
            }
        }
        int contextual = Math.max(1, tokens * 10 / 64);
        List<Integer> patches =
                new ArrayList<>(IntStream.range(1, POSITIONS).boxed().toList());
        patches.sort(Comparator.comparing(patch -> -attention[patch]));
        List<Integer> dominant = new ArrayList<>(patches.subList(0, tokens - contextual - 1));
        dominant.add(0);
        dominant.sort(null);
        List<Integer> rest =
                new ArrayList<>(IntStream.range(0, POSITIONS).boxed().toList());
        rest.removeAll(dominant);
        List<Integer> targets = new ArrayList<>();
        for (int i = 0; targets.size() < contextual; i += Math.max(1, rest.size() / contextual)) {
            targets.add(rest.get(i));
        }
        rest.removeAll(targets);
        double[][] sums = new double[contextual][HIDDEN];
        int[] counts = new int[contextual];
        for (int patch : rest) {
            int best = 0;
            for (int i = 1; i < contextual; i++) {
                if (cosine(metric[patch], metric[targets.get(i)]) > cosine(metric[patch], metric[targets.get(best)])) {
                    best = i;
                }
            }
            counts[best]++;
            for (int i = 0; i < HIDDEN; i++) {
                sums[best][i] += output[patch][i];
            }
        }
        List<double[]> all = new ArrayList<>();
        dominant.forEach(position -> all.add(output[position]));
        for (int i = 0; i < contextual; i++) {
            double[] token = output[targets.get(i)].clone();
            for (int at = 0; at < HIDDEN; at++) {
                token[at] += sums[i][at] / Math.max(1, counts[i]);
            }
            all.add(token);
        }
        return all.stream().flatMapToDouble(Arrays::stream).toArray();
    }

    private static double cosine(double[] a, double[] b) {
        return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    }

    private static double dot(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
    }

    private static double[] norm(Weights weights, String name, double[] x) {
        float[] weight = Tensors.toFloats(weights.get(name + "weight"));
        float[] bias = Tensors.toFloats(weights.get(name + "bias"));
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance =
                Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double[] y = new double[x.length];
        Arrays.setAll(y, i -> (x[i] - mean) / Math.sqrt(variance + 1e-5) * weight[i] + bias[i]);
        return y;
    }

    private static double[] linear(Weights weights, String name, double[] x) {
        float[] weight = Tensors.toFloats(weights.get(name + "weight"));
        float[] bias = Tensors.toFloats(weights.get(name + "bias"));
        double[] y = new double[bias.length];
        for (int out = 0; out < y.length; out++) {
            y[out] = bias[out];
            for (int in = 0; in < x.length; in++) {
                y[out] += weight[out * x.length + in] * x[in];
            }
        }
        return y;
    }

    private static void assertClose(float[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i]).as("number %d", i).isCloseTo(expected[i], within(1e-5));
        }
    }
}
