package io.llava4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against sums in double precision, with NaN left in the memory that the engine takes. */
class ConvolutionTest {
    private static final int IMAGES = 3;
    private static final int EDGE = 3;

    @ParameterizedTest
    @CsvSource({
        "3,24,9,2,1",
        "3,20,9,3,0",
        "16,16,8,1,1",
        "17,17,7,1,1",
        "24,24,8,1,1",
        "24,48,8,2,1",
        "1,1,6,1,0",
        "5,33,6,3,0"
    })
    void convolvesAndPropagatesGradients(int in, int out, int size, int stride, int padding) {
        Random random = new Random(in * 100L + out);
        float[] x = floats(random, IMAGES * in * size * size);
        float[] kernel = floats(random, out * in * EDGE * EDGE);
        float[] bias = floats(random, out);
        int edge = (size + 2 * padding - EDGE) / stride + 1;
        float[] weights = floats(random, IMAGES * out * edge * edge);
        Case reference = new Case(new double[weights.length], new double[x.length], new double[kernel.length]);
        for (int i = 0; i < weights.length; i++) {
            int column = i % edge;
            int row = i / edge % edge;
            int channel = i / (edge * edge) % out;
            int image = i / (edge * edge * out);
            reference.y[i] = bias[channel];
            for (int tap = 0; tap < in * EDGE * EDGE; tap++) {
                int r = row * stride + tap / EDGE % EDGE - padding;
                int c = column * stride + tap % EDGE - padding;
                if (r >= 0 && r < size && c >= 0 && c < size) {
                    int from = ((image * in + tap / (EDGE * EDGE)) * size + r) * size + c;
                    int weight = channel * in * EDGE * EDGE + tap;
                    reference.y[i] += (double) x[from] * kernel[weight];
                    reference.ofX[from] += (double) weights[i] * kernel[weight];
                    reference.ofKernel[weight] += (double) weights[i] * x[from];
                }
            }
        }
        for (int i = 0; i < 20; i++) {
            Engine.scope("a convolution", () -> {
                leaveNan(IMAGES * Math.max(in, out) * size * size);
                Tensor input = Tensors.of(x, IMAGES, in, size, size);
                Tensor weight = Tensors.of(kernel, out, in, EDGE, EDGE);
                input.set_requires_grad(true);
                weight.set_requires_grad(true);
                Tensor y = Convolution.apply(input, weight, Tensors.of(bias, out), stride, padding);
                assertThat(Tensors.shape(y)).containsExactly(IMAGES, out, edge, edge);
                y.backward(
                        Tensors.of(weights, IMAGES, out, edge, edge),
                        new BoolOptional(),
                        false,
                        new TensorArrayRefOptional());
                requireClose(y, reference.y);
                requireClose(input.grad(), reference.ofX);
                requireClose(weight.grad(), reference.ofKernel);
                return null;
            });
        }
    }

    /** As the nano tower's second stage: the engine's own convolution gave NaN in every few of these. */
    @RepeatedTest(60)
    void whatLayInTheMemoryBeforeDoesNotReachTheResult() {
        Engine.inference("a convolution", () -> {
            leaveNan(8 * 24 * 48 * 48);
            Tensor y = Convolution.apply(torch.randn(8, 24, 48, 48), torch.randn(24, 24, 3, 3), torch.randn(24), 1, 1);
            assertThat(y.isfinite().all().item_bool()).isTrue();
            return null;
        });
    }

    private record Case(double[] y, double[] ofX, double[] ofKernel) {}

    private static float[] floats(Random random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Takes and frees blocks of sizes that a convolution asks for. */
    private static void leaveNan(long elements) {
        for (int i = 0; i < 12; i++) {
            torch.full(new long[] {(elements >> i % 4) * (1 + i % 2)}, new Scalar(Float.NaN))
                    .close();
        }
    }

    private static void requireClose(Tensor actual, double[] expected) {
        float[] values = Tensors.toFloats(actual);
        for (int i = 0; i < expected.length; i++) {
            assertThat(values[i]).as("element %d", i).isCloseTo((float) expected[i], within(1e-4f));
        }
    }
}
