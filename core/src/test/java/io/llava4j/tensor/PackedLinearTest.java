package io.llava4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A linear layer whose weight is packed, against the scalar reference on the same weight. */
class PackedLinearTest {
    private static final int OUT = 40;
    private static final int IN = 96;
    private static final int COLUMNS = 6;

    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"F32", "F16", "Q8_0", "Q4_0"})
    void agreesWithTheReference(BlockFormat format) {
        float[] values = random(OUT * IN, 1);
        float[] bias = random(OUT, 2);
        float[] x = random(COLUMNS * IN, 3);
        MemorySegment stored = MemorySegment.ofArray(new byte[(int) format.bytes(values.length)]);
        assertThat(TensorCast.cast(BlockFormat.F32, MemorySegment.ofArray(values), values.length, format, stored))
                .isTrue();
        float[] wanted = ReferenceLinear.multiply(x, format, stored, OUT, IN, bias);
        // Blocks are multiplied by activations that are rounded to 1/127 of the largest of 32.
        double tolerance = format.isQuantised() ? 0.1 : 1e-4;
        Engine.inference("test", () -> {
            try (Weights weights = new Weights()) {
                weights.put("layer.weight", PackedMatrix.pack(format, stored, OUT, IN, Workers.shared()));
                weights.put("layer.bias", Tensors.of(bias, OUT));
                float[] product = Tensors.toFloats(weights.linear("layer.").apply(Tensors.of(x, 2, 3, IN)));
                assertThat(product).hasSameSizeAs(wanted);
                for (int i = 0; i < wanted.length; i++) {
                    assertThat((double) product[i]).isCloseTo(wanted[i], within(tolerance));
                }
            }
            return null;
        });
    }

    private static float[] random(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return values;
    }
}
