package io.llava4j.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Loops over rows against double precision, and machine code against Java to the last bit. */
class RowMathTest {
    private static final int[] COUNTS = {1, 7, 16, 17, 64, 100, 1000};

    /** Floats from a row of a matrix to its next. */
    private static final int STRIDE = 40;

    static Stream<Kernels> available() {
        return Arrays.stream(Kernels.values()).filter(Kernels::isAvailable);
    }

    @Test
    void exponentialIsCloseToTheExactOne() {
        for (double x = -87; x < 88; x += 0.00931) {
            double exact = Math.exp((float) x);
            assertThat(Exponential.of((float) x) / exact).as("e^%s", x).isCloseTo(1, within(2e-7));
        }
        assertThat(Exponential.of(0)).isEqualTo(1);
        assertThat(Exponential.of(Float.NEGATIVE_INFINITY)).isBetween(0f, 2e-38f);
        assertThat(Exponential.of(Float.POSITIVE_INFINITY)).isGreaterThan(1e38f);
        assertThat(Exponential.of(Float.NaN)).isNaN();
    }

    @ParameterizedTest
    @MethodSource("available")
    void swigluHasTheBitsOfJavaAndIsClose(Kernels kernels) {
        for (int count : COUNTS) {
            float[] gate = random(count, 1, 20);
            float[] up = random(count, 2, 3);
            float[] wanted = swiglu(Kernels.SCALAR, gate, up);
            assertThat(swiglu(kernels, gate, up)).containsExactly(wanted);
            for (int i = 0; i < count; i++) {
                double exact = gate[i] / (1 + Math.exp(-(double) gate[i])) * up[i];
                assertThat((double) wanted[i]).isCloseTo(exact, within(5e-7 * Math.abs(exact) + 1e-37));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("available")
    void softmaxHasTheBitsOfJavaAndIsClose(Kernels kernels) {
        for (int count : COUNTS) {
            float[] scores = random(count, 3, 10);
            float[] wanted = softmax(Kernels.SCALAR, scores);
            assertThat(softmax(kernels, scores)).containsExactly(wanted);
            double largest = max(scores);
            double sum = 0;
            for (float score : scores) {
                sum += Math.exp(score - largest);
            }
            for (int i = 0; i < count; i++) {
                assertThat((double) wanted[i]).isCloseTo(Math.exp(scores[i] - largest) / sum, within(1e-6));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("available")
    void quickGeluHasTheBitsOfJavaAndIsClose(Kernels kernels) {
        for (int count : COUNTS) {
            float[] x = random(count, 1, 20);
            float[] bias = random(count, 2, 3);
            float[] wanted = quickGelu(Kernels.SCALAR, x, bias);
            assertThat(quickGelu(kernels, x, bias)).containsExactly(wanted);
            for (int i = 0; i < count; i++) {
                double t = x[i] + bias[i];
                double exact = t / (1 + Math.exp(-1.702 * t));
                assertThat((double) wanted[i]).isCloseTo(exact, within(4e-6 * Math.abs(exact) + 1e-37));
            }
        }
    }

    @Test
    void layerNormIsClose() {
        for (int count : COUNTS) {
            float[] x = random(count, 1, 5);
            float[] weight = random(count, 2, 2);
            float[] bias = random(count, 3, 1);
            float[] out = new float[count];
            RowMath.layerNorm(x, weight, bias, 1e-5, out);
            double mean = IntStream.range(0, count).mapToDouble(i -> x[i]).sum() / count;
            double variance = IntStream.range(0, count)
                            .mapToDouble(i -> (x[i] - mean) * (x[i] - mean))
                            .sum()
                    / count;
            for (int i = 0; i < count; i++) {
                double exact = (x[i] - mean) / Math.sqrt(variance + 1e-5) * weight[i] + bias[i];
                assertThat((double) out[i]).isCloseTo(exact, within(2e-6));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("available")
    void softmaxOfColumnsHasTheBitsOfJavaAndIsClose(Kernels kernels) {
        for (int rows : COUNTS) {
            float[] x = random(rows * STRIDE, 6, 30);
            float[][] wanted = columns(Kernels.SCALAR, x, rows);
            float[][] actual = columns(kernels, x, rows);
            assertThat(actual[0]).containsExactly(wanted[0]);
            assertThat(actual[1]).containsExactly(wanted[1]);
            for (int column = 0; column < ColumnSoftmax.COLUMNS; column++) {
                double largest = Double.NEGATIVE_INFINITY;
                for (int row = 0; row < rows; row++) {
                    largest = Math.max(largest, x[row * STRIDE + column]);
                }
                double sum = 0;
                for (int row = 0; row < rows; row++) {
                    double exact = Math.exp(x[row * STRIDE + column] - largest);
                    assertThat((double) wanted[0][row * ColumnSoftmax.COLUMNS + column])
                            .isCloseTo(exact, within(4e-6 * exact + 1e-37));
                    sum += exact;
                }
                assertThat((double) wanted[1][column]).isCloseTo(sum, within(1e-5 * sum));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("available")
    void softmaxOfColumnsRefusesWhatDoesNotFit(Kernels kernels) {
        ColumnSoftmax softmax = new ColumnSoftmax(kernels);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment rows = arena.allocate(2 * 128, 64);
            MemorySegment sums = arena.allocate(128, 64);
            MemorySegment onHeap = MemorySegment.ofArray(new float[64]);
            for (Runnable call : List.<Runnable>of(
                    () -> softmax.exponentials(rows, 32, 3, rows, sums),
                    () -> softmax.exponentials(rows, 33, 2, rows, sums),
                    () -> softmax.exponentials(rows, 31, 2, rows, sums),
                    () -> softmax.exponentials(rows, 32, 0, rows, sums),
                    () -> softmax.exponentials(rows, 32, 2, sums, sums),
                    () -> softmax.exponentials(rows, 32, 2, rows, sums.asSlice(0, 124)),
                    () -> softmax.exponentials(onHeap, 32, 2, rows, sums))) {
                assertThatThrownBy(call::run).isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("available")
    void notANumberStaysVisible(Kernels kernels) {
        float[] values = random(40, 4, 1);
        values[21] = Float.NaN;
        assertThat(swiglu(kernels, values, random(40, 5, 1))[21]).isNaN();
        assertThat(softmax(kernels, values)).contains(Float.NaN);
        assertThat(quickGelu(kernels, values, random(40, 5, 1))[21]).isNaN();
        float[] matrix = random(10 * STRIDE, 6, 30);
        matrix[5 * STRIDE + 21] = Float.NaN;
        float[] sums = columns(kernels, matrix, 10)[1];
        assertThat(sums[21]).isNaN();
        assertThat(sums[20]).isNotNaN();
    }

    private static double max(float[] values) {
        double largest = Double.NEGATIVE_INFINITY;
        for (float value : values) {
            largest = Math.max(largest, value);
        }
        return largest;
    }

    private static float[] swiglu(Kernels kernels, float[] gate, float[] up) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocateFrom(ValueLayout.JAVA_FLOAT, gate);
            new RowMath(kernels).swiglu(x, arena.allocateFrom(ValueLayout.JAVA_FLOAT, up));
            return x.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private static float[] quickGelu(Kernels kernels, float[] values, float[] bias) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
            new RowMath(kernels).quickGelu(x, arena.allocateFrom(ValueLayout.JAVA_FLOAT, bias));
            return x.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** Exponentials and sums of the first columns of {@code [rows, STRIDE]}. */
    private static float[][] columns(Kernels kernels, float[] values, int rows) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocateFrom(ValueLayout.JAVA_FLOAT, values);
            MemorySegment out = arena.allocate((long) rows * ColumnSoftmax.COLUMNS * Float.BYTES, 64);
            MemorySegment sums = arena.allocate((long) ColumnSoftmax.COLUMNS * Float.BYTES, 64);
            new ColumnSoftmax(kernels).exponentials(x, STRIDE, rows, out, sums);
            return new float[][] {out.toArray(ValueLayout.JAVA_FLOAT), sums.toArray(ValueLayout.JAVA_FLOAT)};
        }
    }

    private static float[] softmax(Kernels kernels, float[] scores) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate((scores.length + 15L) * Float.BYTES, 64);
            MemorySegment.copy(scores, 0, x, ValueLayout.JAVA_FLOAT, 0, scores.length);
            float factor = new RowMath(kernels).softmax(x, arena.allocate(64, 64), scores.length);
            float[] result = new float[scores.length];
            for (int i = 0; i < result.length; i++) {
                result[i] = x.getAtIndex(ValueLayout.JAVA_FLOAT, i) * factor;
            }
            return result;
        }
    }

    private static float[] random(int count, long seed, double range) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-range, range);
        }
        return values;
    }
}
