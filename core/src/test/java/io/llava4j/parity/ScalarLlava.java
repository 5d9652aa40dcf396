package io.llava4j.parity;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Function;

/**
 * LLaVA-1.5 written down once more, in double precision, one sequence and one number at a time, from
 * docs/reference/model.md: CLIP tower, projector, splice and LLaMA. It shares no arithmetic with the network it checks.
 * A state is {@code [tokens][hidden]}; a matrix {@code [out, in]} is row-major.
 */
final class ScalarLlava {
    private static final String TOWER = "model.vision_tower.vision_tower.vision_model.";

    /** What inference from quantised weights rounds besides the weights. */
    interface Rounding {
        /** Rounds nothing. */
        Rounding NONE = new Rounding() {
            @Override
            public double[] input(String weight, double[] x) {
                return x;
            }

            @Override
            public double[] cached(double[] x) {
                return x;
            }
        };

        /** What the matrix of that name multiplies. */
        double[] input(String weight, double[] x);

        /** The rotated key, or the value, of a token. */
        double[] cached(double[] x);
    }

    private final LlavaConfig config;
    private final Function<String, double[]> weights;
    private final Rounding rounding;

    /**
     * @param config shape of the model; {@code mlp2x_gelu}, quick GELU in the tower, CLS left out
     * @param weights tensors by canonical name
     */
    ScalarLlava(LlavaConfig config, Function<String, double[]> weights) {
        this(config, weights, Rounding.NONE);
    }

    ScalarLlava(LlavaConfig config, Function<String, double[]> weights, Rounding rounding) {
        this.config = config;
        this.weights = weights;
        this.rounding = rounding;
    }

    /** {@code [3 * size * size]} pixels to {@code [patches][vision hidden]}: the selected hidden state without CLS. */
    double[][] imageFeatures(float[] pixels) {
        VisionConfig vision = config.vision();
        double[][] x = new double[vision.patches() + 1][];
        x[0] = weights.apply(TOWER + "embeddings.class_embedding").clone();
        for (int patch = 0; patch < vision.patches(); patch++) {
            x[patch + 1] = patchEmbedding(pixels, patch);
        }
        double[] positions = weights.apply(TOWER + "embeddings.position_embedding.weight");
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < vision.hiddenSize(); i++) {
                x[t][i] += positions[t * vision.hiddenSize() + i];
            }
        }
        x = map(x, row -> layerNorm(row, TOWER + "pre_layrnorm."));
        int depth = vision.layers() + 1 + config.selectLayer();
        for (int layer = 0; layer < depth; layer++) {
            x = towerBlock(x, TOWER + "encoder.layers." + layer + ".");
        }
        return Arrays.copyOfRange(x, 1, x.length);
    }

    /** {@code [patches][vision hidden] -> [patches][text hidden]}. */
    double[][] imageTokens(double[][] features) {
        String prefix = "model.mm_projector.";
        return map(
                features,
                row -> linear(apply(linear(row, prefix + "0.", true), ScalarLlava::gelu), prefix + "2.", true));
    }

    /**
     * Logits of every position of a sequence, {@code [tokens][vocab]}.
     *
     * @param ids with {@link Prompt#IMAGE_TOKEN_INDEX} where the next image belongs
     * @param images their tokens
     */
    double[][] logits(int[] ids, List<double[][]> images) {
        TextConfig text = config.text();
        double[] table = weights.apply("model.embed_tokens.weight");
        List<double[]> spliced = new ArrayList<>();
        int image = 0;
        for (int id : ids) {
            if (id == Prompt.IMAGE_TOKEN_INDEX) {
                spliced.addAll(List.of(images.get(image++)));
            } else {
                spliced.add(Arrays.copyOfRange(table, id * text.hiddenSize(), (id + 1) * text.hiddenSize()));
            }
        }
        double[][] x = spliced.toArray(double[][]::new);
        for (int layer = 0; layer < text.layers(); layer++) {
            x = textBlock(x, "model.layers." + layer + ".");
        }
        return map(x, row -> linear(rmsNorm(row, "model.norm."), "lm_head.", false));
    }

    private double[] patchEmbedding(float[] pixels, int patch) {
        VisionConfig vision = config.vision();
        double[] kernel = weights.apply(TOWER + "embeddings.patch_embedding.weight");
        int edge = vision.patchSize();
        int size = vision.imageSize();
        int top = patch / vision.grid() * edge;
        int left = patch % vision.grid() * edge;
        double[] embedding = new double[vision.hiddenSize()];
        for (int out = 0; out < embedding.length; out++) {
            for (int channel = 0; channel < 3; channel++) {
                for (int y = 0; y < edge; y++) {
                    for (int x = 0; x < edge; x++) {
                        embedding[out] += kernel[((out * 3 + channel) * edge + y) * edge + x]
                                * pixels[(channel * size + top + y) * size + left + x];
                    }
                }
            }
        }
        return embedding;
    }

    private double[][] towerBlock(double[][] x, String prefix) {
        double[][] h = map(x, row -> layerNorm(row, prefix + "layer_norm1."));
        String attention = prefix + "self_attn.";
        int heads = config.vision().heads();
        double[][] mixed = attend(
                map(h, row -> linear(row, attention + "q_proj.", true)),
                map(h, row -> linear(row, attention + "k_proj.", true)),
                map(h, row -> linear(row, attention + "v_proj.", true)),
                heads,
                heads,
                false);
        double[][] y = add(x, map(mixed, row -> linear(row, attention + "out_proj.", true)));
        return add(
                y,
                map(
                        y,
                        row -> linear(
                                apply(
                                        linear(layerNorm(row, prefix + "layer_norm2."), prefix + "mlp.fc1.", true),
                                        v -> v * sigmoid(1.702 * v)),
                                prefix + "mlp.fc2.",
                                true)));
    }

    private double[][] textBlock(double[][] x, String prefix) {
        TextConfig text = config.text();
        double[][] h = map(x, row -> rmsNorm(row, prefix + "input_layernorm."));
        String attention = prefix + "self_attn.";
        double[][] mixed = attend(
                rotate(map(h, row -> linear(row, attention + "q_proj.", false))),
                map(rotate(map(h, row -> linear(row, attention + "k_proj.", false))), rounding::cached),
                map(h, row -> rounding.cached(linear(row, attention + "v_proj.", false))),
                text.heads(),
                text.kvHeads(),
                true);
        double[][] y = add(x, map(mixed, row -> linear(row, attention + "o_proj.", false)));
        return add(y, map(y, row -> {
            double[] m = rmsNorm(row, prefix + "post_attention_layernorm.");
            double[] gate = apply(linear(m, prefix + "mlp.gate_proj.", false), v -> v * sigmoid(v));
            double[] up = linear(m, prefix + "mlp.up_proj.", false);
            Arrays.setAll(gate, i -> gate[i] * up[i]);
            return linear(gate, prefix + "mlp.down_proj.", false);
        }));
    }

    /** Softmax attention; query head h reads the key and value head h / (heads / kvHeads). */
    private static double[][] attend(double[][] q, double[][] k, double[][] v, int heads, int kvHeads, boolean causal) {
        int dim = q[0].length / heads;
        double[][] mixed = new double[q.length][q[0].length];
        for (int head = 0; head < heads; head++) {
            int from = head * dim;
            int kvFrom = head / (heads / kvHeads) * dim;
            for (int t = 0; t < q.length; t++) {
                double[] scores = new double[causal ? t + 1 : k.length];
                for (int s = 0; s < scores.length; s++) {
                    for (int i = 0; i < dim; i++) {
                        scores[s] += q[t][from + i] * k[s][kvFrom + i] / StrictMath.sqrt(dim);
                    }
                }
                double largest = Arrays.stream(scores).max().orElseThrow();
                double[] weights = apply(scores, score -> StrictMath.exp(score - largest));
                double sum = Arrays.stream(weights).sum();
                for (int s = 0; s < scores.length; s++) {
                    for (int i = 0; i < dim; i++) {
                        mixed[t][from + i] += weights[s] / sum * v[s][kvFrom + i];
                    }
                }
            }
        }
        return mixed;
    }

    /** Rotary positions, "rotate half": dimension i of a head turns together with dimension i + dim / 2. */
    private double[][] rotate(double[][] x) {
        int dim = config.text().headDim();
        double[][] rotated = new double[x.length][x[0].length];
        for (int t = 0; t < x.length; t++) {
            for (int at = 0; at < x[t].length; at++) {
                int i = at % dim;
                double angle = t / StrictMath.pow(config.text().ropeTheta(), 2.0 * (i % (dim / 2)) / dim);
                double other = i < dim / 2 ? -x[t][at + dim / 2] : x[t][at - dim / 2];
                rotated[t][at] = x[t][at] * StrictMath.cos(angle) + other * StrictMath.sin(angle);
            }
        }
        return rotated;
    }

    private double[] layerNorm(double[] x, String prefix) {
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance =
                Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double scale = 1 / StrictMath.sqrt(variance + config.vision().layerNormEps());
        double[] weight = weights.apply(prefix + "weight");
        double[] bias = weights.apply(prefix + "bias");
        double[] y = new double[x.length];
        Arrays.setAll(y, i -> (x[i] - mean) * scale * weight[i] + bias[i]);
        return y;
    }

    private double[] rmsNorm(double[] x, String prefix) {
        double square = Arrays.stream(x).map(v -> v * v).average().orElseThrow();
        double scale = 1 / StrictMath.sqrt(square + config.text().rmsNormEps());
        double[] weight = weights.apply(prefix + "weight");
        double[] y = new double[x.length];
        Arrays.setAll(y, i -> x[i] * scale * weight[i]);
        return y;
    }

    private double[] linear(double[] input, String prefix, boolean biased) {
        double[] x = rounding.input(prefix + "weight", input);
        double[] weight = weights.apply(prefix + "weight");
        double[] y = biased ? weights.apply(prefix + "bias").clone() : new double[weight.length / x.length];
        for (int out = 0; out < y.length; out++) {
            for (int in = 0; in < x.length; in++) {
                y[out] += weight[out * x.length + in] * x[in];
            }
        }
        return y;
    }

    private static double sigmoid(double x) {
        return 1 / (1 + StrictMath.exp(-x));
    }

    /** The exact GELU; erf by its series of positive terms. */
    private static double gelu(double x) {
        double z = x / StrictMath.sqrt(2);
        double term = z;
        double sum = z;
        for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
            term *= 2 * z * z / (2 * n + 1);
            sum += term;
        }
        double erf = Math.abs(z) > 6 ? Math.signum(z) : 2 / StrictMath.sqrt(Math.PI) * StrictMath.exp(-z * z) * sum;
        return x * (1 + erf) / 2;
    }

    private static double[] apply(double[] x, DoubleUnaryOperator f) {
        return Arrays.stream(x).map(f).toArray();
    }

    private static double[][] map(double[][] x, Function<double[], double[]> f) {
        return Arrays.stream(x).map(f).toArray(double[][]::new);
    }

    private static double[][] add(double[][] x, double[][] y) {
        double[][] sum = new double[x.length][x[0].length];
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < sum[t].length; i++) {
                sum[t][i] = x[t][i] + y[t][i];
            }
        }
        return sum;
    }
}
