package io.llava4j.checkpoint.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.LlavaException;
import io.llava4j.tensor.format.BlockFormat;
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
        return new GgufWriter.Source(name, BlockFormat.F32, shape, () -> MemorySegment.ofArray(values));
    }

    private void write() {
        GgufWriter.write(
                file,
                keys(),
                List.of(
                        floats("m", new float[] {1, 2, 3, 4, 5, 6}, 2, 3),
                        floats("v", new float[] {7}, 1),
                        new GgufWriter.Source(
                                "q", BlockFormat.Q8_0, new long[] {1, 32}, () -> MemorySegment.ofArray(new byte[34]))));
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
    void absurdCountsAreRefused() throws IOException {
        refused(holding(1L << 60, 0), "it claims to hold 1152921504606846976 tensors");
        refused(holding(-1, 0), "it claims to hold 18446744073709551615 tensors");
        refused(holding(0, 1L << 40), "1099511627776 metadata keys");
        refused(holding(0, 1).number(Long.MAX_VALUE).padding(64), "bytes of text in one string");
    }

    @Test
    void damagedKeysAreRefused() throws IOException {
        refused(holding(0, 1).key("k", 99).padding(32), "unknown type 99");
        refused(holding(0, 1).key("k", 7).integer(7), "neither true nor false");
        refused(holding(0, 1).key("k", 9).integer(4).number(1L << 50), "values in 'k'");
        refused(holding(0, 1).key("k", 9).integer(9).number(1), "list of lists");
        refused(holding(0, 1).key("k", 4).padding(1), "ends inside its header");
        refused(holding(0, 2).key("k", 4).integer(1).key("k", 4).integer(1), "key 'k' is there twice");
        refused(
                holding(0, 1).key(Gguf.ALIGNMENT, 4).integer(3).padding(32),
                "general.alignment is 3; llava4j needs a power of two");
    }

    @Test
    void damagedTensorsAreRefused() throws IOException {
        refused(holding(1, 0).string("t").integer(9).padding(64), "it has 9 dimensions");
        refused(oneTensor(0, 0, 1L << 40, 1L << 40), "beyond all memory");
        refused(oneTensor(0, 0, -4), "beyond all memory");
        refused(oneTensor(0, 8, 4), "its data begins at 8, no multiple of 32");
        refused(oneTensor(21, 0, 256), "its type IQ3_S is not read; fetch or make the model's F16");
        refused(oneTensor(99, 0, 4), "its type number 99 is not read");
        refused(oneTensor(8, 0, 33), "its rows are no multiple of 32");
        refused(oneTensor(14, 0, 32), "its rows are no multiple of 256");
        refused(oneTensor(0, Long.MAX_VALUE - 31, 4), "lies beyond its end");
        refused(holding(2, 0).tensor("t", 0, 0, 4).tensor("u", 0, 0, 4).padding(64), "overlaps another tensor's");
        refused(holding(2, 0).tensor("t", 0, 0, 4).tensor("t", 0, 32, 4).padding(96), "tensor 't' is there twice");
    }

    /** Types without kernels of their own are read as Q8_0, and the file says so. */
    @Test
    void narrowTypesAreReadAsAWiderOne() throws IOException {
        Files.write(file, holding(1, 0).tensor("t", 20, 0, 32, 2).padding(128).bytes());
        try (Gguf gguf = Gguf.open(file)) {
            Gguf.Entry entry = Objects.requireNonNull(gguf.tensors().get("t"));
            assertThat(entry.type()).isEqualTo(BlockFormat.Q8_0);
            assertThat(entry.data().byteSize()).isEqualTo(2 * 18);
            assertThat(entry.blocks().byteSize()).isEqualTo(2 * 34);
            assertThat(gguf.narrowTypes())
                    .hasValue(file + ": 1 tensors in IQ4_NL are read as Q8_0, the nearest type that is computed from;"
                            + " they take its memory");
        }
        refused(oneTensor(10, 0, 32), "its rows are no multiple of 256, the block size of Q2_K");
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
                        .forEach(entry -> assertThat(entry.data().byteSize()).isEqualTo(entry.storedBytes()));
            } catch (LlavaException expected) {
                assertThat(expected).hasMessageContaining(damaged.toString());
            }
        }
    }

    private static Header holding(long tensors, long keys) {
        return new Header("GGUF", 3).number(tensors).number(keys);
    }

    private static Header oneTensor(int type, long begin, long... shape) {
        return holding(1, 0).tensor("t", type, begin, shape).padding(64);
    }

    private void refused(Header header, String reason) throws IOException {
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

        Header key(String name, int type) {
            return string(name).integer(type);
        }

        Header tensor(String name, int type, long begin, long... shape) {
            string(name).integer(shape.length);
            for (long size : shape) {
                number(size);
            }
            return integer(type).number(begin);
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
