package io.llava4j.checkpoint.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.WeightFiles;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafeTensorsWriterTest {
    @TempDir
    private Path folder;

    private static TensorSource bytes(String name, DType dtype, byte[] data, long... shape) {
        return new TensorSource(name, dtype, shape, () -> MemorySegment.ofArray(data));
    }

    private static List<TensorSource> sample() {
        Random random = new Random(5);
        float[] large = new float[700_001];
        for (int i = 0; i < large.length; i++) {
            large[i] = random.nextFloat();
        }
        return new ArrayList<>(List.of(
                TensorSource.of("b", new float[] {1, -2, Float.NaN}, 3),
                TensorSource.of("large", large, 700_001),
                bytes("odd", DType.U8, new byte[] {1, 2, 3}, 3, 1),
                bytes("half", DType.BF16, new byte[] {1, 2}, 1),
                TensorSource.of("ids", new long[] {-5}, 1),
                TensorSource.of("scalar", new float[] {9}),
                TensorSource.of("empty", new float[0], 0, 4)));
    }

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        Path file = folder.resolve("a.safetensors");
        List<TensorSource> sample = sample();
        SafeTensorsWriter.write(file, sample, Map.of("step", "7"));
        try (SafeTensors read = SafeTensors.open(file)) {
            assertThat(read.metadata()).isEqualTo(Map.of("format", "pt", "step", "7"));
            assertThat(read.tensors()).hasSize(7);
            for (TensorSource source : sample) {
                TensorEntry entry = read.tensor(source.name());
                assertThat(entry.dtype()).isEqualTo(source.dtype());
                assertThat(entry.shape()).isEqualTo(source.shape());
                assertThat(entry.data().mismatch(source.data().get())).isEqualTo(-1);
            }
        }
        byte[] content = Files.readAllBytes(file);
        long header = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN).getLong();
        assertThat(header % 8).isZero();
        assertThat(new String(content, 8, 80, StandardCharsets.UTF_8))
                .startsWith("{\"__metadata__\":{\"format\":\"pt\",\"step\":\"7\"},\"ids\":{\"dtype\":\"I64\"");
    }

    @Test
    void orderOfTensorsDoesNotMatter() throws IOException {
        List<TensorSource> sample = sample();
        SafeTensorsWriter.write(folder.resolve("a"), sample, Map.of("x", "1", "y", "2"));
        Collections.shuffle(sample, new Random(1));
        SafeTensorsWriter.write(folder.resolve("b"), sample, Map.of("y", "2", "x", "1"));
        assertThat(Files.mismatch(folder.resolve("a"), folder.resolve("b"))).isEqualTo(-1);
    }

    @Test
    void shardsHoldEverythingOnce() {
        List<TensorSource> tensors = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            tensors.add(TensorSource.of("model.mm_projector.%d.weight".formatted(i), new float[] {i, i}, 1, 2));
        }
        SafeTensorsWriter.writeSharded(folder, tensors, Map.of(), 24);
        assertThat(folder.resolve("model-00004-of-00004.safetensors")).exists();
        assertThat(folder.resolve("model.safetensors")).doesNotExist();
        try (WeightFiles read = WeightFiles.open(folder)) {
            assertThat(read.tensors()).hasSize(10);
            for (TensorSource source : tensors) {
                TensorEntry entry = read.tensors()
                        .getOrDefault(source.name(), read.tensors().firstEntry().getValue());
                assertThat(entry.name()).isEqualTo(source.name());
                assertThat(entry.data().mismatch(source.data().get())).isEqualTo(-1);
            }
        }
    }

    @Test
    void failureInTheMiddleLeavesTheOldFile() throws IOException {
        Path file = Files.writeString(folder.resolve("a.safetensors"), "old");
        TensorSource broken = new TensorSource("z", DType.F32, new long[] {1}, () -> {
            throw new UncheckedIOException(new IOException("No space left on device"));
        });
        assertThatThrownBy(() ->
                        SafeTensorsWriter.write(file, List.of(TensorSource.of("a", new float[1], 1), broken), Map.of()))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(file + " cannot be written: the disk is full; free some space and run again");
        assertThat(file).hasContent("old");
        try (Stream<Path> entries = Files.list(folder)) {
            assertThat(entries).containsExactly(file);
        }
    }

    @Test
    void impossibleTensorsAreRefusedBeforeAnythingIsWritten() throws IOException {
        Path file = folder.resolve("a.safetensors");
        TensorSource endless = bytes("w", DType.F32, new byte[0], 1L << 50);
        assertThatThrownBy(() -> SafeTensorsWriter.write(file, List.of(endless), Map.of()))
                .hasMessageContaining("its disk has only");
        assertThatThrownBy(() -> SafeTensorsWriter.write(
                        file, List.of(bytes("w", DType.F32, new byte[0], 1L << 62, 4)), Map.of()))
                .hasMessageContaining("impossible shape");
        assertThatThrownBy(
                        () -> SafeTensorsWriter.write(file, List.of(bytes("w", DType.F32, new byte[3], 1)), Map.of()))
                .hasMessage("tensor 'w' of shape [1] has 3 bytes where 4 are needed");
        TensorSource one = TensorSource.of("w", new float[1], 1);
        assertThatThrownBy(() -> SafeTensorsWriter.write(file, List.of(one, one), Map.of()))
                .hasMessageContaining("'w' is given twice");
        try (Stream<Path> entries = Files.list(folder)) {
            assertThat(entries).isEmpty();
        }
    }
}
