package io.llava4j.tensor.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.CheckpointException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Q4_K and Q6_K blocks that are written: their errors, and what happens at the edges of the numbers. */
class KQuantEncoderTest {
    private static byte[] encoded(float[] values, BlockFormat type) {
        MemorySegment data = MemorySegment.ofArray(values);
        return new TensorCast()
                .cast("w", BlockFormat.F32, data, values.length, type)
                .toArray(ValueLayout.JAVA_BYTE);
    }

    private static float[] decoded(byte[] blocks, int elements, BlockFormat type) {
        float[] values = new float[elements];
        TensorCast.decode(type, MemorySegment.ofArray(blocks), 0, elements, values);
        return values;
    }

    private static float[] roundTrip(float[] values, BlockFormat type) {
        return decoded(encoded(values, type), values.length, type);
    }

    private static double rmse(float[] values, BlockFormat type) {
        float[] read = roundTrip(values, type);
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += Math.pow((double) read[i] - values[i], 2);
        }
        return Math.sqrt(sum / values.length);
    }

    private static float[] gaussian(int count, double deviation, double mean, long seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return values;
    }

    /** Of the deviation; 5 bits with a scale per 32 numbers err by 0.043 on average. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void moreBitsErrLess(long seed) {
        float[] values = gaussian(256 * 64, 0.02, 0, seed);
        double fourBits = rmse(values, BlockFormat.Q4_K) / 0.02;
        double sixBits = rmse(values, BlockFormat.Q6_K) / 0.02;
        assertThat(fourBits)
                .isLessThan(0.9 * rmse(values, BlockFormat.Q4_0) / 0.02)
                .isLessThan(0.076);
        assertThat(sixBits)
                .isLessThan(0.0175)
                .isLessThan(rmseOfFiveBits(values) / 0.02)
                .isGreaterThan(rmse(values, BlockFormat.Q8_0) / 0.02);
    }

    /** Rounding to -16…15 with an unrounded scale per 32 numbers: no worse than Q5_0. */
    private static double rmseOfFiveBits(float[] values) {
        double sum = 0;
        for (int block = 0; block < values.length; block += 32) {
            double largest = 0;
            for (int i = block; i < block + 32; i++) {
                largest = Math.abs(values[i]) > Math.abs(largest) ? values[i] : largest;
            }
            double scale = largest / -16;
            for (int i = block; i < block + 32; i++) {
                sum += Math.pow(Math.clamp(Math.rint(values[i] / scale), -16, 15) * scale - values[i], 2);
            }
        }
        return Math.sqrt(sum / values.length);
    }

    /** Q4_0 has no minimum per group. */
    @Test
    void shiftedWeightsFitAGridWithMinimum() {
        float[] below = gaussian(256 * 8, 0.01, -0.05, 5);
        assertThat(rmse(below, BlockFormat.Q4_K)).isLessThan(0.35 * rmse(below, BlockFormat.Q4_0));
    }

    @Test
    void q4GridIsReproducedExactly() {
        Random random = new Random(7);
        float[] values = new float[256 * 20];
        for (int block = 0; block < values.length; block += 256) {
            float scale = Float.float16ToFloat(Float.floatToFloat16(0.001f * (1 + random.nextFloat())));
            float minimum = Float.float16ToFloat(Float.floatToFloat16(0.002f * (1 + random.nextFloat())));
            for (int group = 0; group < 8; group++) {
                float step = scale * (group == 3 ? 63 : 1 + random.nextInt(63));
                float lowest = minimum * (group == 5 ? 63 : random.nextInt(64));
                for (int i = 0; i < 32; i++) {
                    int level = i == 0 ? 0 : i == 1 ? 15 : random.nextInt(16);
                    values[block + group * 32 + i] = step * level - lowest;
                }
            }
        }
        assertThat(roundTrip(values, BlockFormat.Q4_K)).isEqualTo(values);
    }

    @Test
    void q6GridIsReproducedExactly() {
        Random random = new Random(8);
        float[] values = new float[256 * 20];
        for (int block = 0; block < values.length; block += 256) {
            float scale = Float.float16ToFloat(Float.floatToFloat16(0.0001f * (1 + random.nextFloat())));
            for (int group = 0; group < 16; group++) {
                float step = scale * (group == 9 ? -128 : random.nextInt(255) - 127);
                for (int i = 0; i < 16; i++) {
                    values[block + group * 16 + i] = step * (i == 2 ? -32 : random.nextInt(64) - 32);
                }
            }
        }
        float[] read = roundTrip(values, BlockFormat.Q6_K);
        for (int i = 0; i < values.length; i++) {
            assertThat(read[i]).as("element %d", i).isEqualTo(values[i] + 0f);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q4_K", "Q6_K"})
    void zerosAndConstantsStayWhatTheyAre(BlockFormat type) {
        assertThat(roundTrip(new float[512], type)).containsOnly(0f);
        for (float constant : new float[] {1, -1, 0.037f, -3e-4f, 40000, -40000}) {
            float[] values = new float[256];
            Arrays.fill(values, constant);
            // The scale has 11 bits, or steps of 2^-24 if it is tiny.
            double rounding = Math.abs(constant) * 0x1p-10 + 0x1p-25 * 4096;
            for (float read : roundTrip(values, type)) {
                assertThat((double) read).isCloseTo(constant, within(rounding));
            }
        }
    }

    /** The scales are 16-bit floats, so the smallest numbers become 0 and the error never exceeds their size. */
    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q4_K", "Q6_K"})
    void numbersOfEverySizeStayWithinOneStep(BlockFormat type) {
        double step = type == BlockFormat.Q4_K ? 2.0 / 15 : 1.0 / 31;
        for (int exponent = -149; exponent <= 21; exponent += 5) {
            float[] values = gaussian(256, Math.scalb(0.25, exponent), 0, 11 + exponent);
            float largest = 0;
            for (float value : values) {
                largest = Math.max(largest, Math.abs(value));
            }
            float[] read = roundTrip(values, type);
            for (int i = 0; i < values.length; i++) {
                // Below 2^-24 steps of the block's scale are lost.
                assertThat((double) Math.abs(read[i] - values[i]))
                        .as("2^%d", exponent)
                        .isLessThanOrEqualTo(largest * step + Math.min(largest, 0x1p-24 * 63 * 16));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q4_K", "Q6_K"})
    void whatBlocksCannotHoldIsRefusedByName(BlockFormat type) {
        for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 1e9f, -1e30f}) {
            float[] values = gaussian(1024, 1, 0, 1);
            values[700] = bad;
            assertThatThrownBy(() -> encoded(values, type))
                    .as("%s", bad)
                    .isInstanceOf(CheckpointException.class)
                    .hasMessage("tensor 'w' holds NaN, infinity or numbers that " + type
                            + " cannot hold; choose bf16 or f32");
        }
    }

    /** Parts of a large tensor are converted side by side; each block is the same as alone. */
    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q4_0", "Q8_0", "Q4_K", "Q6_K"})
    void largeTensorsAreConvertedBlockByBlock(BlockFormat type) {
        float[] values = gaussian(600_064, 1, 0, 4);
        byte[] whole = encoded(values, type);
        int at = 500_000 / 256 * 256;
        byte[] one = encoded(Arrays.copyOfRange(values, at, at + 256), type);
        int begin = (int) type.bytes(at);
        assertThat(Arrays.copyOfRange(whole, begin, begin + one.length)).isEqualTo(one);
        values[599_999] = Float.NaN;
        assertThatThrownBy(() -> encoded(values, type)).hasMessageContaining("'w' holds NaN");
    }
}
