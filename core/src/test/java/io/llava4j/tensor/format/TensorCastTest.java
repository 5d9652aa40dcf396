package io.llava4j.tensor.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.RopePermutation;
import io.llava4j.checkpoint.layout.TensorEntry;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TensorCastTest {
    private static float[] decoded(BlockFormat type, byte[] blocks, int elements) {
        float[] read = new float[elements];
        TensorCast.cast(type, MemorySegment.ofArray(blocks), elements, BlockFormat.F32, MemorySegment.ofArray(read));
        return read;
    }

    private static byte[] encoded(float[] values, BlockFormat type) {
        byte[] blocks = new byte[(int) type.bytes(values.length)];
        assertThat(TensorCast.cast(
                        BlockFormat.F32,
                        MemorySegment.ofArray(values),
                        values.length,
                        type,
                        MemorySegment.ofArray(blocks)))
                .isTrue();
        return blocks;
    }

    private static long checksum(byte[] bytes) {
        CRC32 sum = new CRC32();
        sum.update(bytes);
        return sum.getValue();
    }

    @Test
    void q8RoundsAsItsFormatSaysAndComesBackUnchanged() {
        float[] values = new float[64];
        for (int i = 0; i < 32; i++) {
            values[i] = (i - 16) * 0.5f;
        }
        values[5] = 127; // scale 1: halves go away from zero
        byte[] blocks = encoded(values, BlockFormat.Q8_0);
        assertThat(Float.float16ToFloat((short) (blocks[0] & 0xFF | blocks[1] << 8)))
                .isEqualTo(1);
        assertThat(blocks[2]).isEqualTo((byte) -8);
        assertThat(blocks[2 + 1]).isEqualTo((byte) -8); // -7.5
        assertThat(blocks[2 + 5]).isEqualTo((byte) 127);
        assertThat(blocks[2 + 17]).isEqualTo((byte) 1); // 0.5
        float[] read = decoded(BlockFormat.Q8_0, blocks, 64);
        assertThat(read[1]).isEqualTo(-8);
        assertThat(read[63]).isZero();
        assertThat(encoded(read, BlockFormat.Q8_0)).isEqualTo(blocks);
    }

    @Test
    void q8IsWithinHalfAStep() {
        Random random = new Random(3);
        float[] values = new float[320];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        float[] read = decoded(BlockFormat.Q8_0, encoded(values, BlockFormat.Q8_0), 320);
        for (int block = 0; block < 10; block++) {
            float largest = 0;
            for (int i = 0; i < 32; i++) {
                largest = Math.max(largest, Math.abs(values[block * 32 + i]));
            }
            for (int i = 0; i < 32; i++) {
                // half a step, and the rounding of the scale to 11 bits
                assertThat(Math.abs(read[block * 32 + i] - values[block * 32 + i]))
                        .isLessThanOrEqualTo(largest / 127 * 0.5f + largest / 2048);
            }
        }
    }

    /** Two elements share a byte: element i the low nibble, element 16 + i the high one; 8 means zero. */
    @Test
    void q4IsUnpacked() {
        byte[] block = new byte[18];
        short scale = Float.floatToFloat16(0.5f);
        block[0] = (byte) scale;
        block[1] = (byte) (scale >> 8);
        block[2] = (byte) 0xF0;
        block[3] = (byte) 0x8C;
        float[] read = decoded(BlockFormat.Q4_0, block, 32);
        assertThat(read[0]).isEqualTo(-4);
        assertThat(read[16]).isEqualTo(3.5f);
        assertThat(read[1]).isEqualTo(2);
        assertThat(read[17]).isZero();
        assertThat(read[2]).isEqualTo(-4);
    }

    /** Element 17 is 6 in the high nibble of byte 1, with a fifth bit of 1 where there are any: 22. */
    @ParameterizedTest
    @CsvSource({"Q4_1, 4, 3.25", "Q5_0, 6, 3.0", "Q5_1, 8, 11.25"})
    void minimaAndFifthBitsAreRead(BlockFormat type, int nibblesAt, float expected) {
        ByteBuffer block = ByteBuffer.allocate(type.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
        block.putShort(0, Float.floatToFloat16(0.5f));
        if (type != BlockFormat.Q5_0) {
            block.putShort(2, Float.floatToFloat16(0.25f));
        }
        if (type != BlockFormat.Q4_1) {
            block.putInt(nibblesAt - 4, 1 << 17);
        }
        block.put(nibblesAt + 1, (byte) 0x62);
        float[] read = decoded(type, block.array(), 32);
        assertThat(read[17]).isEqualTo(expected);
        assertThat(read[1]).isEqualTo(expected - (type == BlockFormat.Q4_1 ? 2 : 10));
    }

    @Test
    void whatATypeCannotHoldIsRefused() {
        TensorCast cast = new TensorCast();
        MemorySegment large = MemorySegment.ofArray(new float[] {70000});
        assertThatThrownBy(() -> cast.cast("w", BlockFormat.F32, large, 1, BlockFormat.F16))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("tensor 'w' holds numbers that F16 cannot hold; choose bf16 or f32");
        MemorySegment infinite = MemorySegment.ofArray(new float[] {Float.POSITIVE_INFINITY, Float.NaN});
        MemorySegment half = cast.cast("w", BlockFormat.F32, infinite, 2, BlockFormat.BF16);
        assertThat(half.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0)).isEqualTo((short) 0x7F80);
        assertThat(half.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2) & 0x7FFF).isGreaterThan(0x7F80);
    }

    @Test
    void rotaryRowsAreInterleavedHeadByHead() {
        byte[] rows = {0, 1, 2, 3, 10, 11, 12, 13};
        byte[] interleaved = new byte[8];
        RopePermutation.interleave(MemorySegment.ofArray(rows), 2, 8, MemorySegment.ofArray(interleaved));
        assertThat(interleaved).containsExactly(0, 2, 1, 3, 10, 12, 11, 13);
        byte[] separated = new byte[8];
        RopePermutation.separate(MemorySegment.ofArray(interleaved), 2, 8, MemorySegment.ofArray(separated));
        assertThat(separated).isEqualTo(rows);
    }

    /** Checksums of the bytes that llama.cpp's own gguf package (0.19.0) makes of these numbers. */
    @ParameterizedTest
    @CsvSource({"Q4_0, 2565501834", "Q8_0, 1523694072"})
    void blocksAreThoseOfLlamaCpp(BlockFormat type, long expected) {
        float[] values = new float[96];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) ((i * 7919 % 1009 - 504) / 97.0);
        }
        byte[] blocks = encoded(values, type);
        assertThat(checksum(blocks)).isEqualTo(expected);
        assertThat(encoded(decoded(type, blocks, 96), type)).isEqualTo(blocks);
    }

    /**
     * Two blocks of made-up bytes with sensible scales, read as llama.cpp's own gguf package (0.19.0) reads them: one of
     * the numbers and the checksum of all.
     */
    @ParameterizedTest
    @CsvSource({
        "Q4_K, 0, 7.65216064453125, 922210",
        "Q5_K, 0, 6.08160400390625, 2618978050",
        "Q6_K, 208, 11.806640625, 862430562"
    })
    void kQuantsAreRead(BlockFormat type, int scaleAt, float last, long expected) {
        int size = (int) type.bytes(256);
        ByteBuffer blocks = ByteBuffer.allocate(2 * size).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 2 * size; i++) {
            blocks.put(i, (byte) (i * 167 + 13 ^ (i >> 3) * 29));
        }
        for (int block = 0; block < 2; block++) {
            blocks.putShort(block * size + scaleAt, Float.floatToFloat16(0.0123f * (block + 1)));
            if (type != BlockFormat.Q6_K) {
                blocks.putShort(block * size + scaleAt + 2, Float.floatToFloat16(0.0456f * (block + 1)));
            }
        }
        float[] read = decoded(type, blocks.array(), 512);
        assertThat(read[511]).isEqualTo(last);
        ByteBuffer bytes = ByteBuffer.allocate(4 * read.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(read);
        assertThat(checksum(bytes.array())).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockFormat.class,
            names = {"Q4_0", "Q8_0"})
    void blocksHoldNoNanAndNoInfinity(BlockFormat type) {
        MemorySegment result = MemorySegment.ofArray(new byte[34]);
        for (float bad : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, 1e7f}) {
            float[] values = new float[32];
            values[9] = bad;
            assertThat(TensorCast.cast(BlockFormat.F32, MemorySegment.ofArray(values), 32, type, result))
                    .as(type + " of " + bad)
                    .isFalse();
        }
    }

    /** The type a tensor is written in, and read back from, whatever it is. */
    @ParameterizedTest
    @CsvSource({"F64, 0", "F32, 0", "F16, 11", "BF16, 8"})
    void floatsAreRoundedToNearest(DType type, int bits) {
        float[] values = {1 + 0x1p-8f, 1 + 0x1p-7f, 1 + 0x1p-11f, 1 + 0x1p-10f, -3.14159265f, 0, -0f, 65504};
        MemorySegment rounded = TensorCast.rounded("w", values, type);
        float[] read = new TensorEntry("w", type, new long[] {values.length}, rounded).toFloats();
        for (int i = 0; i < values.length; i++) {
            float step = bits == 0 ? 0 : Math.scalb(1, Math.getExponent(values[i]) - bits);
            assertThat(Math.abs(read[i] - values[i])).as("%s", values[i]).isLessThanOrEqualTo(step);
        }
        assertThat(Float.floatToRawIntBits(read[6])).isEqualTo(Float.floatToRawIntBits(-0f));
        if (bits > 0) {
            assertThat(read[type == DType.BF16 ? 0 : 2]).as("ties go to even").isEqualTo(1);
        }
        assertThatThrownBy(() -> TensorCast.rounded("w", values, DType.I32)).hasMessageContaining("written as I32");
    }
}
