package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.TinyModels;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RandomCheckpointTest {
    private static final ModelKind KIND = new ModelKind.Llava(TinyModels.config(0, List.of()));

    @TempDir
    Path dir;

    @ParameterizedTest
    @EnumSource(names = {"F32", "F16", "BF16"})
    void isCompleteAndHasTheStatedDistribution(DType type) {
        new RandomCheckpoint(KIND, type, 3).write(dir.resolve("m"), null, (done, total) -> {});
        try (Checkpoint model = Checkpoint.open(dir.resolve("m")).requireComplete()) {
            assertThat(model.kind()).isEqualTo(KIND);
            assertThat(model.tensors().values()).allMatch(tensor -> tensor.dtype() == type);
            assertThat(model.notFinite()).isEmpty();
            assertThat(model.tensor("model.norm.weight").toFloats()).containsOnly(1);
            assertThat(model.tensor("model.mm_projector.0.bias").toFloats()).containsOnly(0);
            float[] table = model.tensor(CanonicalNames.EMBED_TOKENS).toFloats();
            double mean = IntStream.range(0, table.length)
                    .mapToDouble(i -> table[i])
                    .average()
                    .orElseThrow();
            double square = IntStream.range(0, table.length)
                    .mapToDouble(i -> table[i] * table[i])
                    .average()
                    .orElseThrow();
            // Four standard errors of the mean and of the variance of 384 numbers.
            assertThat(mean).isCloseTo(0, within(4 * 0.02 / Math.sqrt(table.length)));
            assertThat(square).isCloseTo(0.0004, within(4 * 0.0004 * Math.sqrt(2.0 / table.length)));
            assertThat(model.tensor(CanonicalNames.LM_HEAD).toFloats()).isNotEqualTo(table);
        }
    }

    @Test
    void resumesAfterAnInterruptionAndKeepsCompleteFiles() throws IOException {
        RandomCheckpoint random = new RandomCheckpoint(KIND, DType.BF16, 3, 4_000);
        Path whole = dir.resolve("whole");
        random.write(whole, null, (done, total) -> {});
        List<String> shards = shards(whole);
        assertThat(shards).hasSizeGreaterThan(3);

        Path interrupted = dir.resolve("interrupted");
        Files.createDirectories(interrupted);
        Files.copy(whole.resolve(shards.get(1)), interrupted.resolve(shards.get(1)));
        FileTime longAgo = FileTime.fromMillis(1_000_000);
        Files.setLastModifiedTime(interrupted.resolve(shards.get(1)), longAgo);
        Files.write(interrupted.resolve("." + shards.get(2) + ".partial"), new byte[7]);
        List<Long> progress = new ArrayList<>();
        random.write(interrupted, null, (done, total) -> progress.add(done));

        assertThat(progress.getFirst()).isPositive();
        assertThat(progress).isSorted();
        assertThat(progress.getLast()).isEqualTo(2 * random.parameters());
        assertThat(Files.getLastModifiedTime(interrupted.resolve(shards.get(1))))
                .isEqualTo(longAgo);
        for (String shard : shards) {
            assertThat(interrupted.resolve(shard)).hasSameBinaryContentAs(whole.resolve(shard));
        }
        try (Checkpoint model = Checkpoint.open(interrupted)) {
            model.requireComplete();
        }
    }

    @Test
    void otherFilesAreNotTouched() throws IOException {
        Files.writeString(dir.resolve("notes.txt"), "mine");
        assertThatThrownBy(() -> new RandomCheckpoint(KIND, DType.F32, 0).write(dir, null, (done, total) -> {}))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("holds notes.txt");
        assertThat(dir).isDirectoryNotContaining("glob:**.safetensors");
    }

    private static List<String> shards(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".safetensors"))
                    .sorted()
                    .toList();
        }
    }
}
