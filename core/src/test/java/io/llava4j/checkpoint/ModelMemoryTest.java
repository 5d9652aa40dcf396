package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.TensorEntry;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelMemoryTest {
    @TempDir
    private Path folder;

    @Test
    void weightsCountAsTheyAreStored() {
        Path model = SmallModel.write(folder.resolve("model"), SmallModel.config(48, -1), null);
        Path gguf = SmallModel.convert(model, folder.resolve("q8"), CheckpointLayout.GGUF, Precision.Q8_0);
        try (Checkpoint wide = Checkpoint.open(model);
                Checkpoint narrow = Checkpoint.open(gguf)) {
            ModelMemory full = ModelMemory.of(wide);
            ModelMemory quantised = ModelMemory.of(narrow);
            assertThat(full.embedding()).isEqualTo(48 * 32 * 4);
            assertThat(quantised.embedding()).isEqualTo(48 * 34);
            assertThat(quantised.head()).isEqualTo(48 * 34);
            assertThat(full.weights())
                    .isEqualTo(wide.tensors().values().stream()
                            .mapToLong(TensorEntry::byteSize)
                            .sum());
            assertThat(quantised.weights()).isLessThan(full.weights() / 2);
        }
    }

    /** Two heads keep keys and values of 8 numbers in two blocks. */
    @Test
    void theCacheKeepsKeysAndValuesOfAllBlocks() {
        Path model = SmallModel.write(folder.resolve("model"), SmallModel.config(48, -1), null);
        Path gguf = SmallModel.convert(model, folder.resolve("f16"), CheckpointLayout.GGUF, Precision.F16);
        try (Checkpoint wide = Checkpoint.open(model);
                Checkpoint narrow = Checkpoint.open(gguf)) {
            assertThat(ModelMemory.of(wide).cachePerToken()).isEqualTo(2 * 2 * 2 * 8 * 4);
            ModelMemory memory = ModelMemory.of(narrow);
            assertThat(memory.cachePerToken()).isEqualTo(2 * 2 * 2 * 8 * 2);
            assertThat(memory.cache(100)).isEqualTo(100 * 128);
            assertThat(memory.total(3, 100)).isEqualTo(memory.weights() + 3 * 100 * 128 + memory.buffers());
            assertThat(memory.describe())
                    .startsWith("inference needs about 0.40 GB: 0.00 of weights as stored")
                    .endsWith("of KV cache for every 1024 tokens");
        }
    }
}
