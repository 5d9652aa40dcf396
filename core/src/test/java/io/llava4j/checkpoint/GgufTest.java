package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GgufTest {
    @TempDir
    private Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("a.gguf");
    }

    private static SequencedMap<String, Object> keys() {
        SequencedMap<String, Object> keys = new LinkedHashMap<>();
        keys.put("general.architecture", "llama");
        keys.put("a.count", -1);
        keys.put("a.eps", 1e-5f);
        keys.put("a.flag", true);
        keys.put("a.layers", new int[] {23, -1});
        keys.put("a.mean", new float[] {0.5f, 0.25f});
        keys.put("a.tokens", List.of("▁a", "<0x0A>", ""));
        return keys;
    }

    private static GgufWriter.Source floats(String name, float[] values, long... shape) {
        return new GgufWriter.Source(name, GgufType.F32, shape, () -> MemorySegment.ofArray(values));
    }

    private void write() {
        GgufWriter.write(
                file,
                keys(),
                List.of(
                        floats("m", new float[] {1, 2, 3, 4, 5, 6}, 2, 3),
                        floats("v", new float[] {7}, 1),
                        new GgufWriter.Source(
                                "q", GgufType.Q8_0, new long[] {1, 32}, () -> MemorySegment.ofArray(new byte[34]))));
    }

    @Test
    void whatIsWrittenIsRead() {
        write();
        try (Gguf gguf = Gguf.open(file)) {
            GgufMetadata keys = gguf.metadata();
            assertThat(keys.string("general.architecture")).contains("llama");
            assertThat(keys.values()).containsEntry("a.count", 0xFFFFFFFFL).containsEntry("a.eps", 1e-5);
            assertThat(keys.flag("a.flag", false)).isTrue();
            assertThat(keys.list("a.layers", Long.class).orElseThrow()).containsExactly(23L, -1L);
            assertThat(keys.list("a.mean", Double.class).orElseThrow()).containsExactly(0.5, 0.25);
            assertThat(keys.list("a.tokens", String.class).orElseThrow()).containsExactly("▁a", "<0x0A>", "");
            assertThat(gguf.tensors().keySet()).containsExactly("m", "v", "q");
            Gguf.Entry matrix = Objects.requireNonNull(gguf.tensors().get("m"));
            assertThat(matrix.shape()).containsExactly(2, 3);
            assertThat(matrix.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED)).containsExactly(1, 2, 3, 4, 5, 6);
            assertThat(Objects.requireNonNull(gguf.tensors().get("q")).data().byteSize())
                    .isEqualTo(34);
        }
    }

    /** The bytes of the format's header, as its specification lays them out. */
    @Test
    void layoutIsTheSpecified() throws IOException {
        SequencedMap<String, Object> keys = new LinkedHashMap<>();
        keys.put("k", "v");
        GgufWriter.write(file, keys, List.of(floats("t", new float[] {1, 2}, 2)));
        byte[] expected = new Header("GGUF", 3)
                .number(1)
                .number(1)
                .string("k")
                .integer(8)
                .string("v")
                .string("t")
                .integer(1)
                .number(2)
                .integer(0)
                .number(0)
                .padded();
        ByteBuffer whole = ByteBuffer.allocate(expected.length + 32).order(ByteOrder.LITTLE_ENDIAN);
        whole.put(expected).putFloat(1).putFloat(2);
        assertThat(Files.readAllBytes(file)).isEqualTo(whole.array());
    }

    @Test
    void q8RoundsAsItsFormatSaysAndComesBackUnchanged() {
        float[] values = new float[64];
        for (int i = 0; i < 32; i++) {
            values[i] = (i - 16) * 0.5f;
        }
        values[5] = 127; // scale 1: halves go away from zero
        byte[] blocks = new byte[68];
        MemorySegment stored = MemorySegment.ofArray(blocks);
        assertThat(TensorCast.cast(GgufType.F32, MemorySegment.ofArray(values), 64, GgufType.Q8_0, stored))
                .isTrue();
        assertThat(Float.float16ToFloat((short) (blocks[0] & 0xFF | blocks[1] << 8)))
                .isEqualTo(1);
        assertThat(blocks[2]).isEqualTo((byte) -8);
        assertThat(blocks[2 + 1]).isEqualTo((byte) -8); // -7.5
        assertThat(blocks[2 + 5]).isEqualTo((byte) 127);
        assertThat(blocks[2 + 17]).isEqualTo((byte) 1); // 0.5
        float[] read = new float[64];
        TensorCast.cast(GgufType.Q8_0, stored, 64, GgufType.F32, MemorySegment.ofArray(read));
        assertThat(read[1]).isEqualTo(-8);
        assertThat(read[63]).isZero();
        byte[] again = new byte[68];
        TensorCast.cast(GgufType.F32, MemorySegment.ofArray(read), 64, GgufType.Q8_0, MemorySegment.ofArray(again));
        assertThat(again).isEqualTo(blocks);
    }

    @Test
    void q8IsWithinHalfAStep() {
        Random random = new Random(3);
        float[] values = new float[320];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        MemorySegment blocks = MemorySegment.ofArray(new byte[340]);
        TensorCast.cast(GgufType.F32, MemorySegment.ofArray(values), 320, GgufType.Q8_0, blocks);
        float[] read = new float[320];
        TensorCast.cast(GgufType.Q8_0, blocks, 320, GgufType.F32, MemorySegment.ofArray(read));
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
        float[] read = new float[32];
        TensorCast.cast(GgufType.Q4_0, MemorySegment.ofArray(block), 32, GgufType.F32, MemorySegment.ofArray(read));
        assertThat(read[0]).isEqualTo(-4);
        assertThat(read[16]).isEqualTo(3.5f);
        assertThat(read[1]).isEqualTo(2);
        assertThat(read[17]).isZero();
        assertThat(read[2]).isEqualTo(-4);
    }

    @Test
    void whatATypeCannotHoldIsRefused() {
        TensorCast cast = new TensorCast();
        MemorySegment large = MemorySegment.ofArray(new float[] {70000});
        assertThatThrownBy(() -> cast.cast("w", GgufType.F32, large, 1, GgufType.F16))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("tensor 'w' holds numbers that F16 cannot hold; choose bf16 or f32");
        MemorySegment infinite = MemorySegment.ofArray(new float[] {Float.POSITIVE_INFINITY, Float.NaN});
        MemorySegment half = cast.cast("w", GgufType.F32, infinite, 2, GgufType.BF16);
        assertThat(half.get(ValueLayout.JAVA_SHORT_UNALIGNED, 0)).isEqualTo((short) 0x7F80);
        assertThat(half.get(ValueLayout.JAVA_SHORT_UNALIGNED, 2) & 0x7FFF).isGreaterThan(0x7F80);
    }

    @Test
    void rotaryRowsAreInterleavedHeadByHead() {
        byte[] rows = {0, 1, 2, 3, 10, 11, 12, 13};
        byte[] interleaved = new byte[8];
        RotaryRows.interleave(MemorySegment.ofArray(rows), 2, 8, MemorySegment.ofArray(interleaved));
        assertThat(interleaved).containsExactly(0, 2, 1, 3, 10, 12, 11, 13);
        byte[] separated = new byte[8];
        RotaryRows.separate(MemorySegment.ofArray(interleaved), 2, 8, MemorySegment.ofArray(separated));
        assertThat(separated).isEqualTo(rows);
    }

    @Test
    void damagedHeadersAreRefusedWithAReason() throws IOException {
        refused(header -> header.number(1L << 60).number(0), "it claims to hold 1152921504606846976 tensors");
        refused(header -> header.number(-1).number(0), "it claims to hold 18446744073709551615 tensors");
        refused(header -> header.number(0).number(1L << 40), "1099511627776 metadata keys");
        refused(header -> header.number(0).number(1).number(Long.MAX_VALUE).padding(64), "bytes of text in one string");
        refused(header -> header.number(0).number(1).string("k").integer(99).padding(32), "unknown type 99");
        refused(header -> header.number(0).number(1).string("k").integer(7).integer(7), "neither true nor false");
        refused(
                header -> header.number(0)
                        .number(1)
                        .string("k")
                        .integer(9)
                        .integer(4)
                        .number(1L << 50),
                "values in 'k'");
        refused(
                header -> header.number(0)
                        .number(1)
                        .string("k")
                        .integer(9)
                        .integer(9)
                        .number(1),
                "list of lists");
        refused(header -> header.number(0).number(1).string("k").integer(4).padding(1), "ends inside its header");
        refused(
                header -> header.number(0)
                        .number(2)
                        .string("k")
                        .integer(4)
                        .integer(1)
                        .string("k")
                        .integer(4)
                        .integer(1),
                "key 'k' is there twice");
        refused(
                header -> header.number(0)
                        .number(1)
                        .string(Gguf.ALIGNMENT)
                        .integer(4)
                        .integer(3)
                        .padding(32),
                "general.alignment is 3; llava4j needs a power of two");
        refused(header -> header.number(1).number(0).string("t").integer(9).padding(64), "it has 9 dimensions");
        refused(
                header -> header.number(1)
                        .number(0)
                        .string("t")
                        .integer(2)
                        .number(1L << 40)
                        .number(1L << 40)
                        .integer(0)
                        .number(0)
                        .padding(64),
                "beyond all memory");
        refused(
                header -> header.number(1)
                        .number(0)
                        .string("t")
                        .integer(1)
                        .number(-4)
                        .integer(0)
                        .number(0)
                        .padding(64),
                "beyond all memory");
        refused(
                header -> header.number(1)
                        .number(0)
                        .string("t")
                        .integer(1)
                        .number(4)
                        .integer(0)
                        .number(8)
                        .padding(64),
                "its data begins at 8, no multiple of 32");
        refused(
                header -> header.number(1)
                        .number(0)
                        .string("t")
                        .integer(1)
                        .number(4)
                        .integer(14)
                        .number(0)
                        .padding(64),
                "its type 14 is not read");
        refused(
                header -> header.number(1)
                        .number(0)
                        .string("t")
                        .integer(1)
                        .number(33)
                        .integer(8)
                        .number(0)
                        .padding(64),
                "its rows are no multiple of 32");
        refused(
                header -> header.number(1)
                        .number(0)
                        .string("t")
                        .integer(1)
                        .number(4)
                        .integer(0)
                        .number(Long.MAX_VALUE - 31)
                        .padding(64),
                "lies beyond its end");
        refused(
                header -> header.number(2)
                        .number(0)
                        .string("t")
                        .integer(1)
                        .number(4)
                        .integer(0)
                        .number(0)
                        .string("u")
                        .integer(1)
                        .number(4)
                        .integer(0)
                        .number(0)
                        .padding(64),
                "overlaps another tensor's");
    }

    @Test
    void otherVersionsAreNamed() throws IOException {
        Files.write(file, new Header("GGUF", 1).number(0).number(0).bytes());
        assertThatThrownBy(() -> Gguf.open(file)).hasMessageContaining("GGUF version 1; llava4j reads 2 and 3");
        Files.write(file, new Header("GGUF", Integer.reverseBytes(3)).number(0).bytes());
        assertThatThrownBy(() -> Gguf.open(file)).hasMessageContaining("big-endian");
        Files.write(file, new Header("GGML", 3).number(0).number(0).bytes());
        assertThatThrownBy(() -> Gguf.open(file)).hasMessageContaining("does not begin with GGUF");
        Files.write(file, new byte[0]);
        assertThatThrownBy(() -> Gguf.open(file)).isInstanceOf(CheckpointException.class);
    }

    /** Whatever is cut off or flipped, the answer is one sentence and never another exception. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void everyDamageIsASentence(int seed) throws IOException {
        write();
        byte[] good = Files.readAllBytes(file);
        Random random = new Random(seed);
        Path damaged = folder.resolve("damaged.gguf");
        for (int round = 0; round < 300; round++) {
            byte[] bytes = round % 2 == 0 ? good.clone() : Arrays.copyOf(good, random.nextInt(good.length));
            for (int flips = random.nextInt(3); flips >= 0 && bytes.length > 0; flips--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            Files.write(damaged, bytes);
            try (Gguf gguf = Gguf.open(damaged)) {
                gguf.tensors()
                        .values()
                        .forEach(entry -> assertThat(entry.data().byteSize())
                                .isEqualTo(entry.type().bytes(entry.elements())));
            } catch (LlavaException expected) {
                assertThat(expected).hasMessageContaining(damaged.toString());
            }
        }
    }

    private void refused(Consumer<Header> content, String reason) throws IOException {
        Header header = new Header("GGUF", 3);
        content.accept(header);
        Files.write(file, header.bytes());
        assertThatThrownBy(() -> Gguf.open(file))
                .as(reason)
                .isInstanceOf(LlavaException.class)
                .hasMessageContaining(reason)
                .hasMessageContaining(file.toString());
    }

    /** A header put together by hand. */
    private static final class Header {
        private final ByteBuffer bytes = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);

        Header(String magic, int version) {
            bytes.put(magic.getBytes(StandardCharsets.US_ASCII)).putInt(version);
        }

        Header integer(int value) {
            bytes.putInt(value);
            return this;
        }

        Header number(long value) {
            bytes.putLong(value);
            return this;
        }

        Header string(String text) {
            number(text.length());
            bytes.put(text.getBytes(StandardCharsets.US_ASCII));
            return this;
        }

        Header padding(int count) {
            bytes.put(new byte[count]);
            return this;
        }

        byte[] padded() {
            padding(Math.ceilDiv(bytes.position(), 32) * 32 - bytes.position());
            return bytes();
        }

        byte[] bytes() {
            return Arrays.copyOf(bytes.array(), bytes.position());
        }
    }
}
