package io.llava4j.checkpoint.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafeTensorsTest {
    @TempDir
    private Path folder;

    private Path file(String header, byte... data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        return raw(ByteBuffer.allocate(8 + json.length + data.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .put(data)
                .array());
    }

    private Path raw(byte... content) throws IOException {
        return Files.write(folder.resolve("x.safetensors"), content);
    }

    private static String tensor(String name, String dtype, String shape, String offsets) {
        return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}".formatted(name, dtype, shape, offsets);
    }

    static Stream<Arguments> hostileHeaders() {
        String good = tensor("a", "U8", "[4]", "[0,4]");
        return Stream.of(
                Arguments.of("{" + tensor("w", "F99", "[4]", "[0,4]") + "}", "tensor 'w': unknown dtype \"F99\""),
                Arguments.of("{\"w\":{\"dtype\":7,\"shape\":[4],\"data_offsets\":[0,4]}}", "unknown dtype 7"),
                Arguments.of("{\"w\":{\"shape\":[4],\"data_offsets\":[0,4]}}", "unknown dtype"),
                Arguments.of("{\"w\":{\"dtype\":\"U8\",\"data_offsets\":[0,4]}}", "shape is not an array"),
                Arguments.of("{\"w\":{\"dtype\":\"U8\",\"shape\":[4]}}", "data_offsets is not an array"),
                Arguments.of("{\"w\":[]}", "tensor 'w': an object"),
                Arguments.of("{" + tensor("w", "U8", "[-4]", "[0,4]") + "}", "shape holds -4"),
                Arguments.of("{" + tensor("w", "U8", "[4.0]", "[0,4]") + "}", "shape holds 4.0"),
                Arguments.of("{" + tensor("w", "U8", "[\"4\"]", "[0,4]") + "}", "shape holds \"4\""),
                Arguments.of("{" + tensor("w", "U8", "[18446744073709551620]", "[0,4]") + "}", "shape holds"),
                Arguments.of(
                        "{" + tensor("w", "F32", "[4294967296,4294967296]", "[0,0]") + "}", "is beyond all memory"),
                Arguments.of("{" + tensor("w", "F32", "[4611686018427387905]", "[0,4]") + "}", "is beyond all memory"),
                Arguments.of("{" + tensor("w", "F32", "[4]", "[0,4]") + "}", "needs 16 bytes but data_offsets give 4"),
                Arguments.of("{" + tensor("w", "U8", "[5]", "[0,5]") + "}", "do not lie in the 4 bytes"),
                Arguments.of("{" + tensor("w", "U8", "[4]", "[4,0]") + "}", "do not lie in the 4 bytes"),
                Arguments.of("{" + tensor("w", "U8", "[4]", "[-1,3]") + "}", "data_offsets holds -1"),
                Arguments.of("{" + tensor("w", "U8", "[4]", "[0,2,4]") + "}", "do not lie in the 4 bytes"),
                Arguments.of(
                        "{" + tensor("w", "U8", "[4]", "[9223372036854775804,9223372036854775807]") + "}", "lie in"),
                Arguments.of(
                        "{" + good + "," + tensor("b", "U8", "[2]", "[2,4]") + "}", "tensor 'b': its data overlaps"),
                Arguments.of("{" + tensor("b", "U8", "[2]", "[2,4]") + "}", "2 unused bytes lie before its data"),
                Arguments.of("{" + tensor("b", "U8", "[2]", "[0,2]") + "}", "take 2 bytes but the file holds 4"),
                Arguments.of("{}", "take 0 bytes but the file holds 4"),
                Arguments.of("{" + good + "," + good + "}", "property \"a\""),
                Arguments.of("{\"__metadata__\":{\"k\":1}," + good + "}", "the value of 'k' is not a string"),
                Arguments.of("{\"__metadata__\":3," + good + "}", "an object of strings is expected"),
                Arguments.of("{\"\":{}}", "a tensor needs a name"),
                Arguments.of("[" + "[".repeat(5000) + "]".repeat(5000) + "]", "not well formed"),
                Arguments.of("{\"w\":" + "{\"w\":".repeat(50) + "1" + "}".repeat(51), "not well formed"),
                Arguments.of("{" + good, "not well formed"),
                Arguments.of("{" + good + "}x", "not well formed"),
                Arguments.of("[1]", "a JSON object is expected"),
                Arguments.of("  ", "a JSON object is expected"));
    }

    @ParameterizedTest
    @MethodSource("hostileHeaders")
    void hostileHeaderIsRefusedInOneSentence(String header, String reason) throws IOException {
        Path file = file(header, new byte[4]);
        assertThatThrownBy(() -> SafeTensors.open(file))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(file.toString())
                .hasMessageContaining(reason)
                .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(700));
    }

    @Test
    void impossibleHeaderLengthsAreRefused() throws IOException {
        assertThatThrownBy(() -> SafeTensors.open(raw())).hasMessageContaining("has 0 bytes");
        assertThatThrownBy(() -> SafeTensors.open(raw(new byte[7]))).hasMessageContaining("has 7 bytes");
        assertThatThrownBy(() -> SafeTensors.open(raw(new byte[8]))).hasMessageContaining("a header of 0 bytes");
        for (long length : new long[] {1, 3, 1L << 40, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            byte[] content = ByteBuffer.allocate(10)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(length)
                    .array();
            assertThatThrownBy(() -> SafeTensors.open(raw(content)))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("a header of %s bytes".formatted(Long.toUnsignedString(length)));
        }
    }

    @Test
    void otherFilesAreCalledByTheirName() throws IOException {
        assertThatThrownBy(() -> SafeTensors.open(
                        raw("version https://git-lfs.github.com/v1\n".getBytes(StandardCharsets.UTF_8))))
                .hasMessageContaining("Git LFS pointer");
        assertThatThrownBy(() -> SafeTensors.open(
                        raw((byte) 'P', (byte) 'K', (byte) 3, (byte) 4, (byte) 0, (byte) 0, (byte) 0, (byte) 0)))
                .hasMessageContaining("zip archive");
        assertThatThrownBy(() -> SafeTensors.open(folder)).hasMessageContaining("is not a file");
        assertThatThrownBy(() -> SafeTensors.open(folder.resolve("none"))).hasMessageContaining("does not exist");
    }

    @Test
    void truncationAnywhereIsRefused() throws IOException {
        byte[] whole = Files.readAllBytes(file("{" + tensor("a", "F32", "[2]", "[0,8]") + "}", new byte[8]));
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> SafeTensors.open(raw(part)))
                    .as("%d bytes", length)
                    .isInstanceOf(CheckpointException.class);
        }
    }

    @Test
    void scalarsEmptyTensorsAndMetadataAreRead() throws IOException {
        Path file = file(
                "{\"__metadata__\":{\"format\":\"pt\"}," + tensor("s", "I16", "[]", "[0,2]") + ","
                        + tensor("e", "F32", "[0,7]", "[2,2]") + "}   ",
                (byte) 0xfe,
                (byte) 0xff);
        try (SafeTensors tensors = SafeTensors.open(file)) {
            assertThat(tensors.tensor("s").toLongs()).containsExactly(-2);
            assertThat(tensors.tensor("e").toFloats()).isEmpty();
            assertThat(tensors.metadata()).containsEntry("format", "pt").hasSize(1);
            assertThatThrownBy(() -> tensors.tensor("q")).hasMessageContaining("holds no tensor 'q'");
        }
    }

    @Test
    void everyTypeIsWidenedExactly() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(42).order(ByteOrder.LITTLE_ENDIAN);
        data.putDouble(0.5).putLong(Long.MIN_VALUE).putFloat(-1.25f).putInt(-7);
        data.putShort((short) 0x3C01)
                .putShort((short) 0x0001)
                .putShort((short) 0x3F81)
                .putShort((short) 0xFF80);
        data.putShort((short) -3).put((byte) 200).put((byte) 200).put((byte) 1).put(new byte[5]);
        String header = String.join(
                ",",
                tensor("f64", "F64", "[1]", "[0,8]"),
                tensor("i64", "I64", "[1]", "[8,16]"),
                tensor("f32", "F32", "[1]", "[16,20]"),
                tensor("i32", "I32", "[1]", "[20,24]"),
                tensor("f16", "F16", "[2]", "[24,28]"),
                tensor("bf16", "BF16", "[2]", "[28,32]"),
                tensor("i16", "I16", "[1]", "[32,34]"),
                tensor("i8", "I8", "[1]", "[34,35]"),
                tensor("u8", "U8", "[1]", "[35,36]"),
                tensor("bool", "BOOL", "[6]", "[36,42]"));
        try (SafeTensors tensors = SafeTensors.open(file("{" + header + "}", data.array()))) {
            assertThat(tensors.tensor("f64").toFloats()).containsExactly(0.5f);
            assertThat(tensors.tensor("f32").toFloats()).containsExactly(-1.25f);
            assertThat(tensors.tensor("f16").toFloats()).containsExactly(1 + 1f / 1024, 0x1p-24f);
            assertThat(tensors.tensor("bf16").toFloats()).containsExactly(1 + 1f / 128, Float.NEGATIVE_INFINITY);
            assertThat(tensors.tensor("i64").toLongs()).containsExactly(Long.MIN_VALUE);
            assertThat(tensors.tensor("i32").toLongs()).containsExactly(-7);
            assertThat(tensors.tensor("i16").toLongs()).containsExactly(-3);
            assertThat(tensors.tensor("i8").toLongs()).containsExactly(-56);
            assertThat(tensors.tensor("u8").toLongs()).containsExactly(200);
            assertThat(tensors.tensor("bool").toLongs()).containsExactly(1, 0, 0, 0, 0, 0);
            assertThat(tensors.tensor("i32").toBytes()).containsExactly(-7, -1, -1, -1);
            assertThatThrownBy(() -> tensors.tensor("u8").toFloats()).hasMessageContaining("'u8' is U8");
            assertThatThrownBy(() -> tensors.tensor("f32").toLongs()).hasMessageContaining("'f32' is F32");
        }
    }
}
