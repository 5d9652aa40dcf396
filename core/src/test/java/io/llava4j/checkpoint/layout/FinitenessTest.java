package io.llava4j.checkpoint.layout;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.tensor.format.DType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FinitenessTest {
    /** For each type: its largest number, then infinity, minus infinity and two NaNs, as bits. */
    @ParameterizedTest
    @CsvSource({
        "F64, 7FEFFFFFFFFFFFFF, 7FF0000000000000, FFF0000000000000, 7FF8000000000000, FFF0000000000001",
        "F32, 7F7FFFFF, 7F800000, FF800000, 7FC00000, FF800001",
        "F16, 7BFF, 7C00, FC00, 7E00, FC01",
        "BF16, 7F7F, 7F80, FF80, 7FC0, FF81"
    })
    void findsNonFiniteElementsAtEveryPosition(
            DType type, String largest, String infinity, String negative, String nan, String other) {
        for (int count : new int[] {1, 2, 3, 5, 8}) {
            long[] numbers = new long[count];
            Arrays.fill(numbers, Long.parseUnsignedLong(largest, 16));
            assertThat(Finiteness.isFinite(tensor(type, numbers))).isTrue();
            for (String bad : new String[] {infinity, negative, nan, other}) {
                for (int at = 0; at < count; at++) {
                    long[] damaged = numbers.clone();
                    damaged[at] = Long.parseUnsignedLong(bad, 16);
                    assertThat(Finiteness.isFinite(tensor(type, damaged)))
                            .as("%s at %d of %d", bad, at, count)
                            .isFalse();
                }
            }
        }
        // Also after the first chunk, and the greatest negative number is finite.
        long[] many = new long[(1 << 20) / type.bytes() + 3];
        Arrays.fill(many, -1L ^ Long.parseUnsignedLong(nan, 16));
        assertThat(Finiteness.isFinite(tensor(type, many))).isTrue();
        many[many.length - 2] = Long.parseUnsignedLong(nan, 16);
        assertThat(Finiteness.isFinite(tensor(type, many))).isFalse();
    }

    private static TensorEntry tensor(DType type, long... bits) {
        ByteBuffer data = ByteBuffer.allocate(bits.length * type.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        for (long number : bits) {
            for (int b = 0; b < type.bytes(); b++) {
                data.put((byte) (number >>> 8 * b));
            }
        }
        return new TensorEntry("x", type, new long[] {bits.length}, MemorySegment.ofArray(data.array()));
    }
}
