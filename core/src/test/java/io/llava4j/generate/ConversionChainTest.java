package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.Checkpoint;
import io.llava4j.checkpoint.Converter;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.ModelInput;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** One model through every layout and back: the same weights, the same numbers. */
class ConversionChainTest {
    private static final Path TINY = Path.of("../../shared/goldens/tiny-llava");
    private static final Converter.Progress QUIET = (tensor, number, total) -> {};

    @TempDir
    private Path folder;

    @BeforeEach
    void needGoldens() {
        Assumptions.assumeTrue(Files.isDirectory(TINY), "no reference data at " + TINY);
    }

    /** 16-bit weights pass through 32 bits and come back as they were. */
    @ParameterizedTest
    @CsvSource({"mha/hf-old-fp32, F32", "gqa/hf-old-fp32, F32", "vocab32064/hf-old-fp16, F16", "mha/hf-old-bf16, BF16"})
    void weightsAndLogitsStay(String model, Precision own) {
        Path source = TINY.resolve(model);
        Path liuhaotian = convert(source, "liuhaotian", CheckpointLayout.LIUHAOTIAN, null);
        Path gguf = convert(liuhaotian, "gguf", CheckpointLayout.GGUF, Precision.F32);
        Path back = convert(gguf, "hf-new", CheckpointLayout.HF_NEW, own);
        try (Checkpoint before = Checkpoint.open(source);
                Checkpoint after = Checkpoint.open(back).requireComplete()) {
            assertThat(after.layout()).isEqualTo(CheckpointLayout.HF_NEW);
            assertThat(after.config()).isEqualTo(before.config());
            assertThat(after.tensors()).hasSameSizeAs(before.tensors());
            for (TensorEntry tensor : before.tensors().values()) {
                TensorEntry same = after.tensor(tensor.name());
                assertThat(same.dtype()).as(tensor.name()).isEqualTo(tensor.dtype());
                assertThat(same.shape()).as(tensor.name()).isEqualTo(tensor.shape());
                assertThat(same.data().mismatch(tensor.data()))
                        .as(tensor.name())
                        .isEqualTo(-1);
            }
        }
        Path example = source.resolveSibling("expected").resolve("single.safetensors");
        float[] expected = logits(source, example);
        for (Path converted : List.of(liuhaotian, gguf, back)) {
            assertThat(logits(converted, example)).as(converted.toString()).isEqualTo(expected);
        }
        assertThat(logits(gguf.resolve("model-F32.gguf"), example)).isEqualTo(expected);
    }

    private Path convert(Path from, String name, CheckpointLayout layout, @Nullable Precision precision) {
        Path target = folder.resolve(name);
        try (Checkpoint checkpoint = Checkpoint.open(from)) {
            Converter.convert(checkpoint, target, layout, precision, QUIET);
        }
        return target;
    }

    /** Of all tokens of the recorded example. */
    private static float[] logits(Path model, Path example) {
        try (LlavaModel loaded = ModelLoader.load(model, "cpu").model();
                SafeTensors file = SafeTensors.open(example)) {
            int[] ids = Arrays.stream(file.tensor("input_ids").toLongs())
                    .mapToInt(Math::toIntExact)
                    .toArray();
            TensorEntry pixels = file.tensor("pixel_values");
            return Engine.inference("logits", () -> {
                LlavaModel.Output output =
                        loaded.forward(ModelInput.of(List.of(ids), null, List.of(PreparedImage.of(pixels.toFloats()))));
                return Tensors.toFloats(loaded.languageModel().logits(output.hidden()));
            });
        }
    }
}
