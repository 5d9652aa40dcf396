package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter;
import io.llava4j.checkpoint.ModelParts;
import io.llava4j.checkpoint.SmallModel;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.io.AtomicFiles;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.ImageEncoding;
import io.llava4j.model.cpu.KvContext;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Answers from a packed file are those of the model that lies beside it now, or the file is refused. */
class PackedWeightsTest {
    @TempDir
    private Path folder;

    private Path model;
    private Path packed;

    @BeforeEach
    void write() {
        model = write(5);
        packed = ModelParts.packedBeside(model);
    }

    private Path write(long seed) {
        Path tokenizer = folder.resolve("tokenizer");
        int vocabulary = SmallModel.trainTokenizer(tokenizer).vocabSize();
        return SmallModel.write(folder.resolve("model"), SmallModel.config(vocabulary, -1), tokenizer, seed);
    }

    @Test
    void theFirstStartWritesTheFileAndLaterOnesMapIt() throws IOException {
        float[] expected = logits(model, null);
        assertThat(logits(model, packed)).containsExactly(expected);
        FileTime written = Files.getLastModifiedTime(packed);
        assertThat(logits(model, packed)).containsExactly(expected);
        assertThat(Files.getLastModifiedTime(packed)).isEqualTo(written);
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(PackedWeights.isCurrent(packed, checkpoint.files())).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16", "Q8_0", "Q4_0", "Q4_K_M"})
    void everyTypeGivesTheSameLogits(Converter.Precision type) {
        Path gguf = SmallModel.convert(model, folder.resolve("gguf"), CheckpointLayout.GGUF, type);
        float[] expected = logits(gguf, null);
        Path file = ModelParts.packedBeside(gguf);
        for (int start = 0; start < 2; start++) {
            assertThat(logits(gguf, file)).containsExactly(expected);
        }
    }

    @Test
    void aModelThatChangedIsPackedAgain() {
        Path file = folder.resolve("kept.packed");
        logits(model, file);
        AtomicFiles.deleteDirectory(model);
        write(6);
        float[] expected = logits(model, null);
        assertThat(logits(model, file)).containsExactly(expected);
        assertThat(logits(model, file)).containsExactly(expected);
    }

    /** A byte is changed in place, and the time of modification set back. */
    @Test
    void aHiddenChangeIsNoticed() throws IOException {
        Assumptions.assumeTrue(
                FileSystems.getDefault().supportedFileAttributeViews().contains("unix"));
        float[] before = logits(model, packed);
        Path weights = model.resolve("model.safetensors");
        FileTime time = Files.getLastModifiedTime(weights);
        byte[] bytes = Files.readAllBytes(weights);
        for (int i = bytes.length / 2 / 4 * 4; i < bytes.length; i += 4) {
            bytes[i] ^= 1 << 6;
        }
        Files.write(weights, bytes);
        Files.setLastModifiedTime(weights, time);
        float[] expected = logits(model, null);
        assertThat(expected).isNotEqualTo(before);
        assertThat(logits(model, packed)).containsExactly(expected);
    }

    @Test
    void whatIsDamagedIsNeverUsed() throws IOException {
        float[] expected = logits(model, packed);
        byte[] intact = Files.readAllBytes(packed);
        Random random = new Random(3);
        int refused = 0;
        for (int i = 0; i < 60; i++) {
            byte[] damaged = intact.clone();
            int at = random.nextInt(i % 2 == 0 ? 3000 : damaged.length);
            damaged[at] ^= (byte) (1 << random.nextInt(8));
            Files.write(packed, damaged);
            try {
                assertThat(logits(model, packed)).as("byte %d", at).containsExactly(expected);
            } catch (CheckpointException e) {
                assertThat(e).hasMessageContaining(packed.toString()).hasMessageContaining("delete");
                refused++;
            }
        }
        assertThat(refused).isGreaterThan(30);
        Files.write(packed, Arrays.copyOf(intact, intact.length - 64));
        assertThatThrownBy(() -> logits(model, packed))
                .isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(packed + " is damaged, or no file of packed weights; delete it");
        Files.write(packed, new byte[0]);
        assertThatThrownBy(() -> logits(model, packed)).isInstanceOf(CheckpointException.class);
        Files.delete(packed);
        assertThat(logits(model, packed)).containsExactly(expected);
    }

    @Test
    void anythingElseIsRefusedAndStays() throws IOException {
        Path weights = model.resolve("model.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        assertThatThrownBy(() -> logits(model, weights))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(weights + " is no file of packed weights; name another place for them");
        assertThat(Files.readAllBytes(weights)).isEqualTo(bytes);
    }

    @Test
    void aFileThatCannotBeWrittenChangesNoAnswer() throws IOException {
        Path file = Files.createFile(folder.resolve("file")).resolve("weights.packed");
        assertThat(logits(model, file)).containsExactly(logits(model, null));
    }

    @Test
    void packedWeightsAreForWholeModelsOnTheCpu() throws IOException {
        ModelParts parts = new ModelParts(null, null, packed);
        assertThatThrownBy(() -> ModelLoader.load(model, "cuda:0", parts))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("packed weights are for the CPU");
        Path adapter = Files.createDirectory(folder.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{}");
        Files.createFile(adapter.resolve("adapter_model.safetensors"));
        assertThatThrownBy(() -> ModelLoader.load(adapter, "cpu", parts))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("merge it with `llava merge-lora` first");
    }

    /** Logits after an image and a few tokens. */
    private static float[] logits(Path model, @Nullable Path packed) {
        try (LlavaModel network = ModelLoader.load(model, "cpu", new ModelParts(null, null, packed))
                .model()) {
            int size = network.visionTower().imageSize();
            float[] pixels = new float[3 * size * size];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = (float) Math.sin(i * 0.37);
            }
            float[] image = Objects.requireNonNull(
                    new ImageEncoding(CpuImageEncoder.of(network), PreparedImage.of(pixels)).advance(Long.MAX_VALUE));
            CpuLlamaModel text = (CpuLlamaModel) network.languageModel();
            int tokens = image.length / text.config().hiddenSize();
            try (KvContext context = text.open()) {
                return text.read(
                        List.of(new CpuLlamaModel.Chunk(context, MemorySegment.ofArray(image), tokens, tokens)));
            }
        }
    }
}
