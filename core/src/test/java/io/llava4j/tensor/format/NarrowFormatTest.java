package io.llava4j.tensor.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class NarrowFormatTest {
    private static ByteBuffer blocks(NarrowFormat type, int elements, int scaleAt, int minimumAt) {
        int size = (int) type.bytes(type.blockSize());
        int count = elements / type.blockSize();
        ByteBuffer blocks = ByteBuffer.allocate(count * size).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < count * size; i++) {
            blocks.put(i, (byte) (i * 167 + 13 ^ (i >> 3) * 29));
        }
        for (int block = 0; block < count; block++) {
            blocks.putShort(block * size + scaleAt, Float.floatToFloat16(0.0123f * (block + 1)));
            if (minimumAt >= 0) {
                blocks.putShort(block * size + minimumAt, Float.floatToFloat16(0.0456f * (block + 1)));
            }
        }
        return blocks;
    }

    /**
     * 512 elements of made-up bytes with sensible scales, read as llama.cpp's own gguf package (0.19.0) reads them: the
     * last number and the checksum of all. What the kernels get is these numbers in Q8_0.
     */
    @ParameterizedTest
    @CsvSource({
        "Q2_K, 80, 82, -1.3677978515625, 2105551460",
        "Q3_K, 108, -1, 0.0, 318638930",
        "IQ4_NL, 0, -1, 7.4775390625, 48514421",
        "IQ4_XS, 0, -1, 2.7056884765625, 3482301943"
    })
    void blocksAreReadAsLlamaCppReadsThem(NarrowFormat type, int scaleAt, int minimumAt, float last, long expected) {
        MemorySegment blocks =
                MemorySegment.ofArray(blocks(type, 512, scaleAt, minimumAt).array());
        ByteBuffer bytes = ByteBuffer.allocate(4 * 512).order(ByteOrder.LITTLE_ENDIAN);
        float[] values = new float[512];
        float[] block = new float[type.blockSize()];
        for (int i = 0; i < 512 / block.length; i++) {
            type.decode(blocks, i, block);
            System.arraycopy(block, 0, values, i * block.length, block.length);
        }
        bytes.asFloatBuffer().put(values);
        CRC32 sum = new CRC32();
        sum.update(bytes.array());
        assertThat(values[511]).isEqualTo(last);
        assertThat(sum.getValue()).isEqualTo(expected);

        float[] read = new float[512];
        TensorCast.decode(NarrowFormat.READ_AS, type.read(blocks, 512).orElseThrow(), 0, 512, read);
        for (int i = 0; i < 512; i++) {
            float largest = 0;
            for (int j = i / 32 * 32; j < i / 32 * 32 + 32; j++) {
                largest = Math.max(largest, Math.abs(values[j]));
            }
            // Half a step, and the rounding of the scale to 11 bits.
            float allowed = type == NarrowFormat.IQ4_NL ? 0 : largest / 127 * 0.5f + largest / 2048;
            assertThat(Math.abs(read[i] - values[i])).isLessThanOrEqualTo(allowed);
        }
    }

    @ParameterizedTest
    @EnumSource
    void scalesThatAreNoNumbersAreRefused(NarrowFormat type) {
        int size = (int) type.bytes(type.blockSize());
        byte[] block = new byte[size];
        Arrays.fill(block, (byte) 0xFF); // every 16-bit float among them is NaN
        assertThat(type.read(MemorySegment.ofArray(block), type.blockSize())).isEmpty();
    }
}
