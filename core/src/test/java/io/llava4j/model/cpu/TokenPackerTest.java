package io.llava4j.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.ClipVisionTower;
import io.llava4j.model.Initializer;
import io.llava4j.model.Projector;
import io.llava4j.model.VisionTower;
import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.FeatureStates;
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
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** TokenPacker against plain loops in double precision, written after the paper's formulas and the official code's names. */
class TokenPackerTest {
    private static final int WIDTH = 24;
    private static final int IMAGES = 2;
    private static final String PREFIX = "model.mm_projector.";

    /** Two heads of 128, one of 48; the official hidden states, and a small tower in which two levels are the same state. */
    @ParameterizedTest
    @CsvSource({"2, 4, 256, 24, -2", "3, 6, 48, 24, -2", "4, 8, 48, 6, -2", "2, 6, 48, 6, -4", "5, 5, 48, 2, -2"})
    void bothPathsGiveTheTokensOfTheReference(int edge, int grid, int hidden, int blocks, int selectLayer) {
        LlavaConfig config = config(edge, grid, hidden, blocks, selectLayer);
        int tokens = grid * grid / (edge * edge);
        assertThat(config.tokensPerImage()).isEqualTo(tokens);
        try (Weights weights = weights(config);
                Workers workers = new Workers(3)) {
            Engine.inference("a test", () -> {
                double[][][] features = features(config);
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

    /** A token changes with the patches of its own square and with no other. */
    @Test
    void aTokenReadsItsOwnSquareOnly() {
        LlavaConfig config = config(2, 6, 48, 24, -2);
        try (Weights weights = weights(config)) {
            Engine.inference("a test", () -> {
                double[][] features = features(config)[0];
                Projector projector = Projector.of(config, weights);
                float[] before = Tensors.toFloats(projector.forward(tensor(features)));
                int patch = 3 * 6 + 4; // row 3, column 4: the third square of the second row
                features[patch][7] += 1;
                float[] after = Tensors.toFloats(projector.forward(tensor(features)));
                List<Integer> changed = IntStream.range(0, 9)
                        .filter(token -> !Arrays.equals(
                                Arrays.copyOfRange(before, token * WIDTH, (token + 1) * WIDTH),
                                Arrays.copyOfRange(after, token * WIDTH, (token + 1) * WIDTH)))
                        .boxed()
                        .toList();
                assertThat(changed).containsExactly(5);
                return null;
            });
        }
    }

    /** The change of a weighted sum of the tokens, by the reference, when one feature or one weight changes a little. */
    @Test
    void gradientsAreThoseOfTheReference() {
        LlavaConfig config = config(2, 4, 48, 6, -2);
        try (Weights weights = weights(config)) {
            Engine.scope("a test", () -> {
                weights.names().forEach(name -> weights.get(name).requires_grad_(true));
                double[][] features = features(config)[0];
                Tensor input = tensor(features).requires_grad_(true);
                Tensor tokens = Projector.of(config, weights).forward(input);
                float[] factors = new float[Math.toIntExact(tokens.numel())];
                SplittableRandom random = new SplittableRandom(8);
                for (int i = 0; i < factors.length; i++) {
                    factors[i] = (float) random.nextDouble(-1, 1);
                }
                tokens.mul(Tensors.of(factors, Tensors.shape(tokens))).sum().backward();
                float[] ofInput = Tensors.toFloats(input.grad());
                double step = 1e-3;
                for (int patch = 0; patch < 16; patch++) {
                    int channel = patch * 7 % features[0].length;
                    features[patch][channel] += step;
                    double above = weighted(reference(config, weights, features), factors);
                    features[patch][channel] -= 2 * step;
                    double below = weighted(reference(config, weights, features), factors);
                    features[patch][channel] += step;
                    assertThat((double) ofInput[patch * features[0].length + channel])
                            .isCloseTo((above - below) / (2 * step), within(1e-4));
                }
                for (String name : weights.names()) {
                    float[] gradient = Tensors.toFloats(weights.get(name).grad());
                    Tensor flat = weights.get(name).detach().view(-1);
                    int at = gradient.length / 3;
                    double above = weightedWith(config, weights, features, factors, flat, at, 1 / 128f);
                    double below = weightedWith(config, weights, features, factors, flat, at, -1 / 128f);
                    assertThat((double) gradient[at]).as(name).isCloseTo((above - below) * 64, within(2e-3));
                }
                return null;
            });
        }
    }

    /** The tower gives the states one after another, on both paths; an image that is encoded in pieces has the same tokens. */
    @Test
    void theTowerGivesSeveralHiddenStates() {
        LlavaConfig config = config(2, 4, 48, 6, -4);
        assertThat(config.featureStates()).isEqualTo(new FeatureStates(List.of(3, 4, 5), 0, List.of(0, 1, 2, 2)));
        assertThat(config.featureWidth()).isEqualTo(3 * 48);
        try (Weights weights = weights(config)) {
            Engine.inference("a test", () -> {
                Initializer initializer = new Initializer(6);
                ClipParameters.of(config.vision())
                        .shapes()
                        .forEach((name, shape) -> initializer.fill(weights, name, shape));
                float[] pixels = new float[3 * 32 * 32];
                SplittableRandom random = new SplittableRandom(2);
                for (int i = 0; i < pixels.length; i++) {
                    pixels[i] = (float) random.nextDouble(-2, 2);
                }
                Tensor image = Tensors.of(pixels, 1, 3, 32, 32);
                List<Tensor> states = new ClipVisionTower(config.vision(), weights).hiddenStates(image);
                float[] expected = Tensors.toFloats(Tensors.cat(
                        2,
                        states.subList(3, 6).stream()
                                .map(state -> state.narrow(1, 1, 16))
                                .toArray(Tensor[]::new)));
                VisionTower engine = VisionTower.of(config, weights);
                assertThat(engine.blocks()).isEqualTo(5);
                Tensor onEngine = engine.features(image);
                assertThat(Tensors.toFloats(onEngine)).containsExactly(expected);
                CpuImageEncoder encoder = CpuImageEncoder.load(config, CpuModels.stored(weights, BlockFormat.F32));
                Tensor onKernels = encoder.tower().features(image);
                assertClose(
                        Tensors.toFloats(onKernels),
                        IntStream.range(0, expected.length)
                                .mapToDouble(i -> expected[i])
                                .toArray());
                ImageEncoding encoding = new ImageEncoding(encoder, PreparedImage.of(pixels));
                float[] tokens = encoding.advance(0);
                int pauses = 0;
                for (; tokens == null; pauses++) {
                    tokens = encoding.advance(0);
                }
                assertThat(pauses).isEqualTo(5);
                assertThat(tokens)
                        .containsExactly(Tensors.toFloats(encoder.projector().forward(onKernels)));
                encoder.close();
                return null;
            });
        }
    }

    @Test
    void theReleasedModelsReadTheOfficialStates() {
        assertThat(config(2, 4, 48, 24, -2).featureStates())
                .isEqualTo(new FeatureStates(List.of(12, 16, 22, 23), 3, List.of(0, 1, 2, 3)));
        assertThat(config(2, 4, 48, 24, -1).featureStates())
                .isEqualTo(new FeatureStates(List.of(12, 16, 22, 23, 24), 4, List.of(0, 1, 2, 3)));
        assertThat(config(2, 4, 48, 2, -2).featureStates())
                .isEqualTo(new FeatureStates(List.of(1), 0, List.of(0, 0, 0, 0)));
    }

    /** Names and shapes of the official code's state dict for CLIP ViT-L and a 7B language model. */
    @Test
    void tensorsAreThoseOfTheOfficialCode() {
        SequencedMap<String, long[]> shapes = new LinkedHashMap<>();
        ProjectorType.parse("tokenpacker_2x2").parameters(1024, 4096).forEach(part -> part.addTo(shapes));
        List<String> rows = new ArrayList<>();
        shapes.forEach((name, shape) -> rows.add(name.substring(PREFIX.length()) + " " + Arrays.toString(shape)));
        assertThat(rows)
                .containsExactlyInAnyOrder(
                        "q_proj_1.weight [1024, 1024]",
                        "k_proj_1.0.weight [1024, 4096]",
                        "k_proj_1.0.bias [1024]",
                        "k_proj_1.2.weight [1024, 1024]",
                        "k_proj_1.2.bias [1024]",
                        "v_proj_1.0.weight [1024, 4096]",
                        "v_proj_1.0.bias [1024]",
                        "v_proj_1.2.weight [1024, 1024]",
                        "v_proj_1.2.bias [1024]",
                        "ln_q_1.weight [1024]",
                        "ln_q_1.bias [1024]",
                        "ln_k_1.weight [1024]",
                        "ln_k_1.bias [1024]",
                        "ln_v_1.weight [1024]",
                        "ln_v_1.bias [1024]",
                        "clip_attn.in_proj_weight [3072, 1024]",
                        "clip_attn.in_proj_bias [3072]",
                        "clip_attn.out_proj.weight [1024, 1024]",
                        "clip_attn.out_proj.bias [1024]",
                        "mlp.0.weight [4096, 1024]",
                        "mlp.0.bias [4096]",
                        "mlp.2.weight [4096, 4096]",
                        "mlp.2.bias [4096]");
    }

    /** Norms start as the identity and biases at zero; matrices have the spread of the official code. */
    @Test
    void randomWeightsAreThoseOfTheOfficialCode() {
        Engine.scope("a test", () -> {
            try (Weights weights = new Weights()) {
                Initializer initializer = new Initializer(5);
                for (var part : ProjectorType.parse("tokenpacker_2x2").parameters(1024, 64)) {
                    part.shapes().forEach((name, shape) -> initializer.fill(weights, name, shape));
                }
                for (String name : weights.names()) {
                    float[] values = Tensors.toFloats(weights.get(name));
                    double square = IntStream.range(0, values.length)
                            .mapToDouble(i -> (double) values[i] * values[i])
                            .average()
                            .orElseThrow();
                    double spread = name.matches(".*ln_._1.weight")
                            ? 1
                            : name.endsWith("bias")
                                    ? 0
                                    // Xavier-uniform of 3072 x 1024 has a standard deviation of sqrt(2 / 4096).
                                    : name.endsWith("in_proj_weight")
                                            ? Math.sqrt(2.0 / 4096)
                                            : name.endsWith("mlp.2.weight") ? 0.5 / 8 : 0.02;
                    assertThat(Math.sqrt(square)).as(name).isCloseTo(spread, within(0.02 * spread));
                }
            }
            return null;
        });
    }

    @Test
    void whatDoesNotFitIsRefusedByName() {
        assertThatThrownBy(() -> config(3, 4, 48, 24, -2))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("tokenpacker_3x3 needs a grid of patches that 3 divides")
                .hasMessageContaining("4 x 4");
        LlavaConfig fits = config(2, 4, 48, 24, -2);
        assertThatThrownBy(() -> fits.withAspectMode(AspectMode.ANYRES))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("tokenpacker_2x2")
                .hasMessageContaining("tiles");
        for (String unknown :
                List.of("tokenpacker", "tokenpacker_1x1", "tokenpacker_2x3", "tokenpacker_2x2_mlp2x_gelu")) {
            assertThat(ProjectorType.find(unknown)).isEmpty();
        }
    }

    private static LlavaConfig config(int edge, int grid, int hidden, int blocks, int selectLayer) {
        VisionConfig vision = new VisionConfig(hidden, 40, blocks, 2, 8 * grid, 8, 1e-5, "quick_gelu", List.of());
        TextConfig text = new TextConfig(WIDTH, 24, 2, 4, 2, 24, 80, 1e-5, 10000, false, 1, 2, 0);
        String type = "tokenpacker_%dx%d".formatted(edge, edge);
        return new LlavaConfig(vision, text, type, selectLayer, false, AspectMode.PAD, -1, 0);
    }

    /** All far from their initial values, so that each one matters. */
    private static Weights weights(LlavaConfig config) {
        Weights weights = new Weights();
        SplittableRandom random = new SplittableRandom(11);
        Engine.scope("weights", () -> {
            for (var part : ProjectorType.parse(config.projectorType())
                    .parameters(config.vision().hiddenSize(), WIDTH)) {
                part.shapes().forEach((name, shape) -> {
                    int fanIn = Math.toIntExact(shape[shape.length - 1]);
                    double bound = shape.length == 2 ? 2 / Math.sqrt(fanIn) : 0.5;
                    double base = name.contains("ln_") && name.endsWith("weight") ? 1 : 0;
                    float[] values =
                            new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) (base + random.nextDouble(-bound, bound));
                    }
                    weights.put(name, Tensors.of(values, shape));
                });
            }
            return null;
        });
        return weights;
    }

    /** {@code [images][patches][states * hidden]}. */
    private static double[][][] features(LlavaConfig config) {
        SplittableRandom random = new SplittableRandom(4);
        double[][][] features = new double[IMAGES][config.vision().patches()][config.featureWidth()];
        for (double[][] image : features) {
            for (double[] patch : image) {
                Arrays.setAll(patch, i -> (float) random.nextDouble(-2, 2));
            }
        }
        return features;
    }

    private static Tensor tensor(double[][]... features) {
        int width = features[0][0].length;
        float[] values = new float[features.length * features[0].length * width];
        int at = 0;
        for (double[][] image : features) {
            for (double[] patch : image) {
                for (double value : patch) {
                    values[at++] = (float) value;
                }
            }
        }
        return Tensors.of(values, features.length, features[0].length, width);
    }

    /** Tokens of an image, one after another. */
    private static double[] reference(LlavaConfig config, Weights weights, double[][] features) {
        Reference r = new Reference(config, weights);
        int grid = config.vision().grid();
        int edge = grid / (int) Math.sqrt(config.tokensPerImage());
        int c = r.hidden;
        double[][] keys = new double[grid * grid][];
        double[][] values = new double[grid * grid][];
        double[][] selected = new double[grid * grid][];
        for (int patch = 0; patch < grid * grid; patch++) {
            double[] multi = new double[4 * c];
            for (int level = 0; level < 4; level++) {
                int state = r.levelOf(level);
                System.arraycopy(features[patch], state * c, multi, level * c, c);
            }
            keys[patch] = r.attentionInput(1, r.norm("ln_k_1", r.mlp("k_proj_1", multi)));
            values[patch] = r.attentionInput(2, r.norm("ln_v_1", r.mlp("v_proj_1", multi)));
            int at = config.featureStates().selected() * c;
            selected[patch] = Arrays.copyOfRange(features[patch], at, at + c);
        }
        double[] all = new double[config.tokensPerImage() * WIDTH];
        int token = 0;
        for (int row = 0; row < grid / edge; row++) {
            for (int column = 0; column < grid / edge; column++) {
                double[] point = bilinear(selected, grid, (row + 0.5) * edge - 0.5, (column + 0.5) * edge - 0.5);
                double[] query = r.attentionInput(0, r.norm("ln_q_1", r.linear("q_proj_1.", point)));
                List<Integer> square = new ArrayList<>();
                for (int y = 0; y < edge; y++) {
                    for (int x = 0; x < edge; x++) {
                        square.add((row * edge + y) * grid + column * edge + x);
                    }
                }
                double[] attended = r.attend(query, square, keys, values);
                double[] y = r.mlp("mlp", r.linear("clip_attn.out_proj.", attended));
                System.arraycopy(y, 0, all, token++ * WIDTH, WIDTH);
            }
        }
        return all;
    }

    /** A point of a map, as bilinear resizing without aligned corners finds it. */
    private static double[] bilinear(double[][] map, int grid, double y, double x) {
        int top = (int) Math.floor(y);
        int left = (int) Math.floor(x);
        double down = y - top;
        double right = x - left;
        int below = Math.min(top + 1, grid - 1);
        int beside = Math.min(left + 1, grid - 1);
        double[] point = new double[map[0].length];
        Arrays.setAll(
                point,
                i -> (1 - down) * ((1 - right) * map[top * grid + left][i] + right * map[top * grid + beside][i])
                        + down * ((1 - right) * map[below * grid + left][i] + right * map[below * grid + beside][i]));
        return point;
    }

    /** The layers by name. */
    private record Reference(
            int hidden, int blocks, Weights weights, List<Integer> states, Map<String, double[]> known) {
        Reference(LlavaConfig config, Weights weights) {
            this(
                    config.vision().hiddenSize(),
                    config.vision().layers(),
                    weights,
                    config.featureStates().states(),
                    new HashMap<>());
        }

        /** Where the features have a level's state. */
        int levelOf(int level) {
            int[] shares = {12, 16, 22, 23};
            int state = level == 3 ? blocks - 1 : shares[level] * blocks / 24;
            return states.indexOf(state);
        }

        double[] values(String name) {
            return known.computeIfAbsent(name, key -> {
                float[] floats = Tensors.toFloats(weights.get(PREFIX + key).detach());
                return IntStream.range(0, floats.length)
                        .mapToDouble(i -> floats[i])
                        .toArray();
            });
        }

        double[] linear(String name, double[] x) {
            double[] weight = values(name + "weight");
            double[] y = new double[weight.length / x.length];
            double[] bias = weights.find(PREFIX + name + "bias") == null ? new double[y.length] : values(name + "bias");
            return product(weight, bias, 0, x, y);
        }

        private static double[] product(double[] weight, double[] bias, int firstRow, double[] x, double[] y) {
            for (int out = 0; out < y.length; out++) {
                y[out] = bias[firstRow + out];
                for (int in = 0; in < x.length; in++) {
                    y[out] += weight[(firstRow + out) * x.length + in] * x[in];
                }
            }
            return y;
        }

        double[] mlp(String name, double[] x) {
            double[] inner = Arrays.stream(linear(name + ".0.", x))
                    .map(v -> v * (1 + erf(v / Math.sqrt(2))) / 2)
                    .toArray();
            return linear(name + ".2.", inner);
        }

        double[] norm(String name, double[] x) {
            double[] weight = values(name + ".weight");
            double[] bias = values(name + ".bias");
            double mean = Arrays.stream(x).average().orElseThrow();
            double variance =
                    Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
            double[] y = new double[x.length];
            Arrays.setAll(y, i -> (x[i] - mean) / Math.sqrt(variance + 1e-6) * weight[i] + bias[i]);
            return y;
        }

        /** Part of PyTorch's joint projection of queries, keys and values. */
        double[] attentionInput(int part, double[] x) {
            return product(
                    values("clip_attn.in_proj_weight"),
                    values("clip_attn.in_proj_bias"),
                    part * hidden,
                    x,
                    new double[hidden]);
        }

        double[] attend(double[] query, List<Integer> square, double[][] keys, double[][] values) {
            int d = hidden >= 128 ? 128 : hidden;
            double[] result = new double[hidden];
            for (int first = 0; first < hidden; first += d) {
                double[] weights = new double[square.size()];
                double sum = 0;
                for (int i = 0; i < weights.length; i++) {
                    double score = 0;
                    for (int at = first; at < first + d; at++) {
                        score += query[at] * keys[square.get(i)][at];
                    }
                    weights[i] = Math.exp(score / Math.sqrt(d));
                    sum += weights[i];
                }
                for (int i = 0; i < weights.length; i++) {
                    for (int at = first; at < first + d; at++) {
                        result[at] += weights[i] / sum * values[square.get(i)][at];
                    }
                }
            }
            return result;
        }
    }

    /** By its Taylor series, whose terms cancel to 1e-6 at most for such arguments. */
    private static double erf(double x) {
        if (Math.abs(x) > 5) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 200; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }

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

    private static void assertClose(float[] actual, double[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i])
                    .as("number %d", i)
                    .isCloseTo(expected[i], within(1e-5 * Math.max(1, Math.abs(expected[i]))));
        }
    }
}
