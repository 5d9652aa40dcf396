package io.llava4j.tensor.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocks whose error is weighted by the importance of columns. */
class ImportanceTest {
    private static final int ROWS = 32;
    private static final int COLUMNS = 768;

    private static MemorySegment encoded(float[] values, BlockFormat type, float[] importance) {
        MemorySegment blocks = MemorySegment.ofArray(new byte[Math.toIntExact(type.bytes(values.length))]);
        MemorySegment result = new TensorCast()
                .cast("w", BlockFormat.F32, MemorySegment.ofArray(values), values.length, type, importance);
        return blocks.copyFrom(result);
    }

    private static MemorySegment encoded(float[] values, BlockFormat type) {
        MemorySegment blocks = MemorySegment.ofArray(new byte[Math.toIntExact(type.bytes(values.length))]);
        return blocks.copyFrom(
                new TensorCast().cast("w", BlockFormat.F32, MemorySegment.ofArray(values), values.length, type));
    }

    /** The expected square of an output's error, if the inputs are independent and have these mean squares. */
    private static double outputError(float[] values, MemorySegment blocks, BlockFormat type, float[] importance) {
        float[] read = new float[values.length];
        TensorCast.decode(type, blocks, 0, read.length, read);
        double error = 0;
        for (int i = 0; i < read.length; i++) {
            error += importance[i % COLUMNS] * Math.pow((double) read[i] - values[i], 2);
        }
        return error;
    }

    private static float[] gaussian(Random random, int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    /** Mean squares of activations span several powers of ten. */
    private static float[] importance(Random random) {
        float[] importance = new float[COLUMNS];
        for (int i = 0; i < COLUMNS; i++) {
            importance[i] = (float) Math.exp(2 * random.nextGaussian());
        }
        return importance;
    }

    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q4_K", "Q6_K"})
    void outputsErrLess(BlockFormat type) {
        for (int seed = 0; seed < 8; seed++) {
            Random random = new Random(seed);
            float[] values = gaussian(random, ROWS * COLUMNS, 0.02);
            float[] importance = importance(random);
            double plain = outputError(values, encoded(values, type), type, importance);
            double weighted = outputError(values, encoded(values, type, importance), type, importance);
            assertThat(weighted).as("seed %d", seed).isLessThan(0.95 * plain);
        }
    }

    /** Each block for itself: the scale without weights is one of those that are tried. */
    @ParameterizedTest
    @EnumSource(names = "Q4_0")
    void noBlockErrsMore(BlockFormat type) {
        Random random = new Random(5);
        float[] values = gaussian(random, ROWS * COLUMNS, 0.02);
        float[] importance = importance(random);
        float[] plain = new float[values.length];
        float[] weighted = new float[values.length];
        TensorCast.decode(type, encoded(values, type), 0, plain.length, plain);
        TensorCast.decode(type, encoded(values, type, importance), 0, plain.length, weighted);
        for (int block = 0; block < values.length; block += 32) {
            double squares = 0;
            for (int i = block; i < block + 32; i++) {
                squares += (double) values[i] * values[i];
            }
            double before = 0;
            double after = 0;
            for (int i = block; i < block + 32; i++) {
                double weight = importance[i % COLUMNS] * Math.sqrt(squares / 32 + (double) values[i] * values[i]);
                before += weight * Math.pow((double) plain[i] - values[i], 2);
                after += weight * Math.pow((double) weighted[i] - values[i], 2);
            }
            assertThat(after).as("block %d", block / 32).isLessThanOrEqualTo(before * (1 + 1e-9));
        }
    }

    /** A column that nothing multiplies, a block of them, a matrix of them; and blocks of zeros. */
    @ParameterizedTest
    @EnumSource(names = {"Q4_0", "Q4_K", "Q6_K"})
    void columnsOfNoImportanceStayUsable(BlockFormat type) {
        float[] values = gaussian(new Random(1), ROWS * COLUMNS, 0.02);
        Arrays.fill(values, 256, 512, 0);
        float[] some = importance(new Random(2));
        Arrays.fill(some, 0, 256, 0);
        for (float[] importance : new float[][] {some, new float[COLUMNS]}) {
            float[] ones = new float[COLUMNS];
            Arrays.fill(ones, 1);
            MemorySegment blocks = encoded(values, type, importance);
            double error = outputError(values, blocks, type, ones);
            assertThat(error).isLessThan(1.5 * outputError(values, encoded(values, type), type, ones));
        }
    }

    /** What matters the same everywhere changes K-quants in nothing: their weights are the same up to a factor. */
    @ParameterizedTest
    @EnumSource(names = {"Q4_K", "Q6_K", "Q8_0"})
    void equalImportanceChangesNothing(BlockFormat type) {
        float[] values = gaussian(new Random(3), ROWS * COLUMNS, 0.02);
        float[] importance = new float[COLUMNS];
        Arrays.fill(importance, 0.25f);
        assertThat(encoded(values, type, importance).toArray(ValueLayout.JAVA_BYTE))
                .isEqualTo(encoded(values, type).toArray(ValueLayout.JAVA_BYTE));
    }
}
