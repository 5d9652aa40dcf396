package io.llava4j.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TensorsTest {
    /** 2900 x 1600 numbers are two tiles for many rows and 18 for one, the last of them smaller. */
    private static final int OUT = 2900;

    private static final int IN = 1600;

    @Test
    void memoryIsReadWithoutACopy() {
        Engine.load();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2, 3, 4, 5, 6);
            Engine.scope("test", () -> {
                Tensor tensor = Tensors.over(memory, torch.ScalarType.Float, 2, 3);
                assertThat(Tensors.toFloats(tensor)).containsExactly(1, 2, 3, 4, 5, 6);
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, 4, 50);
                assertThat(Tensors.toFloats(tensor.select(0, 1))).containsExactly(4, 50, 6);
                return null;
            });
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void aNarrowWeightGivesTheProductOfItsWidenedSelf(int rows) {
        Engine.inference("test", () -> {
            Tensor weight = random(1, OUT, IN).to(torch.ScalarType.BFloat16);
            Tensor bias = random(2, OUT);
            Tensor x = random(3, 1, rows, IN);
            Tensor product = Tensors.linear(x, weight, bias);
            assertThat(Tensors.shape(product)).containsExactly(1, rows, OUT);
            float[] expected = Tensors.toFloats(Tensors.linear(x, weight.to(Tensors.FLOAT), bias));
            assertThat(Tensors.toFloats(product)).containsExactly(expected, within(1e-4f));
            return null;
        });
    }

    @Test
    void onlyATileOfANarrowWeightIsHeldTwice() {
        Engine.inference("test", () -> {
            Tensor weight = random(1, OUT, IN).to(torch.ScalarType.BFloat16);
            Tensor x = random(3, 1, IN);
            Tensors.linear(x, weight, null);
            long before = Pointer.totalCount();
            for (int i = 0; i < 10; i++) {
                Tensors.linear(x, weight, null);
            }
            // Ten results, which belong to this scope, and their handful of helpers; not 180 tiles.
            assertThat(Pointer.totalCount() - before).isLessThan(100);
            return null;
        });
    }

    private static Tensor random(long seed, long... shape) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[(int) Arrays.stream(shape).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextDouble(-1, 1);
        }
        return Tensors.of(values, shape);
    }
}
