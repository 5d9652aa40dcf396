package io.llava4j.tensor.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Rounding of activations: what {@link Activations} documents, and every implementation equal to it. */
class ActivationsTest {
    private static final int COLUMNS = 3;

    /** The last block has 7 numbers; those after it none. */
    private static final int IN = 40 * 32 + 7;

    private static final int BLOCKS = 48;
    private static final int VALUES = BLOCKS * COLUMNS * 32;
    private static final int FIELDS = BLOCKS * Activations.FIELDS * COLUMNS;

    @Test
    void everyImplementationRoundsAsTheDefinition() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate(COLUMNS * IN * 4L, 4);
            fill(x, new SplittableRandom(3));
            byte[] values = new byte[VALUES];
            int[] fields = new int[FIELDS];
            quantise(Kernels.SCALAR, x, values, fields);
            for (Kernels kernels : Kernels.values()) {
                if (kernels.isAvailable()) {
                    byte[] otherValues = new byte[VALUES];
                    int[] otherFields = new int[FIELDS];
                    quantise(kernels, x, otherValues, otherFields);
                    assertThat(otherValues).as(kernels.option()).isEqualTo(values);
                    assertThat(otherFields).as(kernels.option()).isEqualTo(fields);
                }
            }
        }
    }

    /** Blocks of every magnitude: subnormal, zero, near the smallest that counts, the largest, halves, NaN, infinite. */
    private static void fill(MemorySegment x, SplittableRandom random) {
        float[] special = {
            Float.NaN, Float.NEGATIVE_INFINITY, Float.MAX_VALUE, Float.MIN_VALUE, 0x1p-119f, 0x1.fffffep-120f
        };
        for (int i = 0; i < COLUMNS * IN; i++) {
            int block = i / 32;
            float value = (float) (random.nextDouble(-1, 1) * Math.pow(2, block % 60 * 4 - 120));
            value = block % 7 == 0 ? (random.nextInt(255) - 127) / 2f : value;
            value = block % 11 == 5 ? -0f : value;
            boolean isSpecial = i % 32 == block % 32 && block % 3 == 1;
            x.setAtIndex(ValueLayout.JAVA_FLOAT, i, isSpecial ? special[block / 3 % special.length] : value);
        }
    }

    private static void quantise(Kernels kernels, MemorySegment x, byte[] values, int[] fields) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(VALUES, 64);
            MemorySegment about = arena.allocate(FIELDS * 4L, 64);
            for (int column = 0; column < COLUMNS; column++) {
                MemorySegment floats = x.asSlice(column * IN * 4L, IN * 4L);
                MemorySegment columnValues = bytes.asSlice(column * 32L);
                kernels.kernel().quantise(floats, BLOCKS, columnValues, about.asSlice(column * 4L), COLUMNS);
            }
            MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, values, 0, VALUES);
            MemorySegment.copy(about, ValueLayout.JAVA_INT, 0, fields, 0, FIELDS);
        }
    }
}
