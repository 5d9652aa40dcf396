package io.llava4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A layer with an adapter against loops in 64-bit floats, and its gradients against differences of those. */
class LinearTest {
    private static final String PREFIX = "model.layers.0.self_attn.q_proj.";
    private static final int TOKENS = 3;
    private static final int IN = 5;
    private static final int OUT = 4;
    private static final int RANK = 2;

    /** Input, weight, A, B, lengths of the rows. */
    private static final int[][] SHAPES = {{TOKENS, IN}, {OUT, IN}, {RANK, IN}, {OUT, RANK}, {OUT}};

    private final List<double[]> values = new ArrayList<>();
    private final double[] coefficients = new double[TOKENS * OUT];

    @ParameterizedTest
    @CsvSource({"false,false", "true,false", "false,true", "true,true"})
    void outputAndGradientsAreThoseOfTheDefinition(boolean stabilised, boolean dora) {
        LoraConfig lora = new LoraConfig(RANK, 3, 0, stabilised, dora, List.of("q_proj"), List.of());
        double scale = stabilised ? 3 / Math.sqrt(RANK) : 1.5;
        SplittableRandom random = new SplittableRandom(7);
        for (int[] shape : SHAPES) {
            double[] drawn = random.doubles(shape.length == 1 ? shape[0] : (long) shape[0] * shape[1], -1, 1)
                    .map(value -> (float) value)
                    .toArray();
            values.add(drawn);
        }
        for (int i = 0; i < coefficients.length; i++) {
            coefficients[i] = (float) random.nextDouble();
        }
        double[] lengths = rowLengths(scale);
        ToDoubleFunction<LinearTest> loss = test -> test.loss(scale, dora, lengths);
        Engine.scope("a layer", () -> {
            try (Weights weights = new Weights()) {
                List<Tensor> leaves = new ArrayList<>();
                for (int i = 0; i < SHAPES.length; i++) {
                    leaves.add(tensor(values.get(i), SHAPES[i]));
                }
                leaves.forEach(leaf -> leaf.set_requires_grad(leaf != leaves.get(1)));
                weights.put(PREFIX + "weight", leaves.get(1));
                weights.put(PREFIX + LoraConfig.DOWN, leaves.get(2));
                weights.put(PREFIX + LoraConfig.UP, leaves.get(3));
                weights.put(PREFIX + LoraConfig.MAGNITUDE, leaves.get(4));
                Tensor y = new Linear(weights, PREFIX, lora).forward(leaves.get(0));
                Tensor sum =
                        y.mul(tensor(coefficients, new int[] {TOKENS, OUT})).sum();
                assertThat(sum.item_double()).isEqualTo(loss.applyAsDouble(this), within(1e-5));
                sum.backward();
                for (int i : dora ? new int[] {0, 2, 3, 4} : new int[] {0, 2, 3}) {
                    assertThat(Tensors.toFloats(leaves.get(i).grad()))
                            .as("gradient of tensor " + i)
                            .containsExactly(differences(values.get(i), loss), within(2e-5f));
                }
            }
            return null;
        });
    }

    private static Tensor tensor(double[] values, int[] shape) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return shape.length == 1 ? Tensors.of(floats, shape[0]) : Tensors.of(floats, shape[0], shape[1]);
    }

    private float[] differences(double[] at, ToDoubleFunction<LinearTest> loss) {
        float[] gradient = new float[at.length];
        for (int i = 0; i < at.length; i++) {
            double value = at[i];
            at[i] = value + 1e-5;
            double above = loss.applyAsDouble(this);
            at[i] = value - 1e-5;
            gradient[i] = (float) ((above - loss.applyAsDouble(this)) / 2e-5);
            at[i] = value;
        }
        return gradient;
    }

    /** Sum of the outputs, weighted; the rows' present lengths are given, as the backward pass takes them for constants. */
    private double loss(double scale, boolean dora, double[] lengths) {
        double loss = 0;
        for (int t = 0; t < TOKENS; t++) {
            for (int o = 0; o < OUT; o++) {
                double y = 0;
                for (int i = 0; i < IN; i++) {
                    y += summed(o, i, scale) * values.get(0)[t * IN + i];
                }
                loss += coefficients[t * OUT + o] * (dora ? y * values.get(4)[o] / lengths[o] : y);
            }
        }
        return loss;
    }

    private double[] rowLengths(double scale) {
        double[] lengths = new double[OUT];
        for (int o = 0; o < OUT; o++) {
            for (int i = 0; i < IN; i++) {
                lengths[o] += Math.pow(summed(o, i, scale), 2);
            }
            lengths[o] = Math.sqrt(lengths[o]);
        }
        return lengths;
    }

    private double summed(int o, int i, double scale) {
        double change = 0;
        for (int r = 0; r < RANK; r++) {
            change += values.get(3)[o * RANK + r] * values.get(2)[r * IN + i];
        }
        return values.get(1)[o * IN + i] + scale * change;
    }
}
