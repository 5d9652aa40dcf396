package io.llava4j.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Loops over rows against double precision, and machine code against Java to the last bit. */
class RowMathTest {
    private static final int[] COUNTS = {1, 7, 16, 17, 64, 100, 1000};

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
    void notANumberStaysVisible(Kernels kernels) {
        float[] values = random(40, 4, 1);
        values[21] = Float.NaN;
        assertThat(swiglu(kernels, values, random(40, 5, 1))[21]).isNaN();
        assertThat(softmax(kernels, values)).contains(Float.NaN);
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
