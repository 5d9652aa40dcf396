package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.huggingface.ModelConfigWriter;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.checkpoint.safetensors.SafeTensorsWriter;
import io.llava4j.image.AspectMode;
import io.llava4j.io.AtomicFiles;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.format.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CheckpointWriterTest {
    private static final VisionConfig TOWER = new VisionConfig(8, 16, 2, 2, 16, 8, 1e-5, "gelu", List.of());
    private static final VisionConfig STEM = new VisionConfig(8, 16, 1, 2, 16, 4, 1e-5, "gelu", List.of(8, 16));
    private static final TextConfig TEXT = new TextConfig(12, 20, 2, 3, 1, 32, 64, 1e-5, 10000, false, 1, 2, 0);
    private static final TextConfig TIED = new TextConfig(12, 20, 1, 3, 3, 32, 64, 1e-5, 10000, true, 1, 2, 0);

    @TempDir
    private Path folder;

    private static ModelKind llava(VisionConfig vision, TextConfig text, String projector) {
        return new ModelKind.Llava(new LlavaConfig(vision, text, projector, -2, false, AspectMode.PAD, -1, 256));
    }

    private static List<TensorSource> tensors(ModelKind kind) {
        List<TensorSource> tensors = new ArrayList<>();
        ExpectedTensors.of(kind).shapes().forEach((name, shape) -> {
            float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
            Arrays.fill(values, name.hashCode());
            tensors.add(TensorSource.of(name, values, shape));
        });
        return tensors;
    }

    static Stream<ModelKind> kinds() {
        return Stream.of(
                llava(TOWER, TEXT, "mlp2x_gelu"),
                llava(STEM, TIED, "linear"),
                new ModelKind.Clip(STEM),
                new ModelKind.Llama(TEXT),
                new ModelKind.Llama(TIED));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void whatIsSavedIsOpenedAgain(ModelKind kind) {
        Path target = folder.resolve("a/model");
        CheckpointWriter.save(target, kind, null, tensors(kind));
        try (Checkpoint read = Checkpoint.open(target).requireComplete()) {
            assertThat(read.kind()).isEqualTo(kind);
            assertThat(read.ignored()).isEmpty();
            assertThat(read.tensors()).hasSize(tensors(kind).size());
            for (TensorSource source : tensors(kind)) {
                assertThat(read.tensor(source.name())
                                .data()
                                .mismatch(source.data().get()))
                        .isEqualTo(-1);
            }
            assertThat(read.describe()).contains(kind.label());
        }
    }

    @Test
    void tokenizerGoesAlongAndShardsAreRead() throws IOException {
        Path tokenizer = Files.createDirectory(folder.resolve("tokenizer"));
        Files.writeString(tokenizer.resolve("tokenizer.model"), "pieces");
        Files.writeString(tokenizer.resolve("tokenizer_config.json"), "{}");
        Files.writeString(tokenizer.resolve("notes.txt"), "not copied");
        ModelKind kind = llava(TOWER, TEXT, "mlp2x_gelu");
        Path target = folder.resolve("model");
        AtomicFiles.writeDirectory(
                target, partial -> CheckpointWriter.writeInto(partial, kind, tokenizer, tensors(kind), 4000));
        try (Checkpoint read = Checkpoint.open(target).requireComplete()) {
            assertThat(read.tokenizerDir().resolve("tokenizer.model")).hasContent("pieces");
        }
        assertThat(target.resolve("notes.txt")).doesNotExist();
        assertThat(target.resolve("generation_config.json")).exists();
        assertThat(target.resolve("model.safetensors.index.json")).exists();
    }

    @Test
    void clipMayBringItsTextSide() {
        ModelKind kind = new ModelKind.Clip(TOWER);
        List<TensorSource> tensors = tensors(kind);
        tensors.add(TensorSource.of("text_model.final_layer_norm.weight", new float[] {1}, 1));
        CheckpointWriter.save(folder.resolve("clip"), kind, null, tensors);
        try (Checkpoint read = Checkpoint.open(folder.resolve("clip")).requireComplete();
                SafeTensors raw = SafeTensors.open(folder.resolve("clip/model.safetensors"))) {
            assertThat(read.layout()).isEqualTo(CheckpointLayout.CLIP);
            assertThat(read.ignored()).containsExactly("text_model.final_layer_norm.weight");
            assertThat(raw.tensors()).containsKey("vision_model.pre_layrnorm.weight");
        }
    }

    @Test
    void failureInTheMiddleLeavesNothing() throws IOException {
        ModelKind kind = llava(TOWER, TEXT, "mlp2x_gelu");
        List<TensorSource> tensors = tensors(kind);
        TensorSource last = tensors.removeLast();
        tensors.add(new TensorSource(last.name(), last.dtype(), last.shape(), () -> {
            throw new IllegalStateException("stopped");
        }));
        assertThatThrownBy(() -> CheckpointWriter.save(folder.resolve("model"), kind, null, tensors))
                .hasMessage("stopped");
        try (Stream<Path> entries = Files.list(folder)) {
            assertThat(entries).isEmpty();
        }
    }

    @Test
    void leftoversOfAKilledProcessAreClearedAwayAndForeignFoldersKept() throws IOException {
        Path stale = Files.createDirectories(folder.resolve(".model.partial/deep"));
        Files.writeString(stale.resolve("half.safetensors"), "x");
        ModelKind kind = new ModelKind.Llama(TEXT);
        CheckpointWriter.save(folder.resolve("model"), kind, null, tensors(kind));
        try (Stream<Path> entries = Files.list(folder)) {
            assertThat(entries).containsExactly(folder.resolve("model"));
        }
        assertThatThrownBy(() -> CheckpointWriter.save(folder.resolve("model"), kind, null, tensors(kind)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("exists already");
        try (Checkpoint kept = Checkpoint.open(folder.resolve("model"))) {
            assertThat(kept.requireComplete().kind()).isEqualTo(kind);
        }
    }

    @Test
    void wrongTensorsAreNamedAndNotWritten() {
        ModelKind kind = llava(TOWER, TEXT, "mlp2x_gelu");
        List<TensorSource> tensors = tensors(kind);
        tensors.removeIf(tensor -> tensor.name().equals("model.norm.weight"));
        tensors.removeIf(tensor -> tensor.name().equals("model.mm_projector.0.bias"));
        tensors.add(TensorSource.of("model.mm_projector.0.bias", new float[11], 11));
        tensors.add(TensorSource.of("model.image_newline", new float[12], 12));
        assertThatThrownBy(() -> CheckpointWriter.save(folder.resolve("model"), kind, null, tensors))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("1 tensor is missing: model.norm.weight")
                .hasMessageContaining("1 tensor is unexpected: model.image_newline")
                .hasMessageContaining("model.mm_projector.0.bias is [11] where the configuration calls for [12]");
        assertThat(folder.resolve("model")).doesNotExist();
    }

    @Test
    void foldersThatDoNotFitTogetherAreRefused() throws IOException {
        ModelKind kind = new ModelKind.Llama(TEXT);
        Path model = folder.resolve("model");
        AtomicFiles.writeDirectory(
                model, partial -> CheckpointWriter.writeInto(partial, kind, null, tensors(kind), 2000));
        Path index = model.resolve("model.safetensors.index.json");
        String good = Files.readString(index);
        refused(model, index, good.replace("model-00001-of", "../model-00001-of"), "not the name of a file here");
        refused(model, index, good.replace("model-00001-of", "model-00009-of"), "which is missing; fetch all shards");
        refused(model, index, good.replace("\"lm_head.weight\"", "\"lm_head.bias\""), "is not listed in");
        refused(
                model,
                index,
                good.replaceFirst("\"lm_head.weight\"( : \"[^\"]+\")", "\"x\"$1, $0"),
                "'x' is listed in");
        refused(model, index, "{}", "weight_map is missing or empty");
        Files.writeString(index, good);
        Files.writeString(model.resolve("model.safetensors"), "stale");
        assertThatThrownBy(() -> Checkpoint.open(model)).hasMessageContaining("remove the one that is stale");
    }

    private static void refused(Path model, Path index, String content, String reason) throws IOException {
        Files.writeString(index, content);
        assertThatThrownBy(() -> Checkpoint.open(model))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void towerStoredApartIsFoundOrAskedFor() throws IOException {
        ModelKind clip = new ModelKind.Clip(TOWER);
        CheckpointWriter.save(folder.resolve("tower"), clip, null, tensors(clip));
        Path model = Files.createDirectory(folder.resolve("model"));
        List<TensorSource> rest = tensors(llava(TOWER, TEXT, "linear"));
        rest.removeIf(tensor -> tensor.name().startsWith(CanonicalNames.TOWER));
        SafeTensorsWriter.write(model.resolve("model.safetensors"), rest, Map.of());

        assertThat(opened(model, "../tower", null)).isEqualTo(TOWER);
        assertThat(opened(model, folder.resolve("tower").toAbsolutePath().toString(), null))
                .isEqualTo(TOWER);
        assertThat(opened(model, "someone/clip", folder.resolve("tower"))).isEqualTo(TOWER);
        assertThatThrownBy(() -> opened(model, "someone/clip", null))
                .hasMessageContaining("'someone/clip' is no folder")
                .hasMessageContaining("name it with --vision-tower");
        assertThatThrownBy(() -> opened(model, "openai/clip-vit-large-patch14-336", null))
                .hasMessageContaining("holds no vision tower");
    }

    private static VisionConfig opened(Path model, String towerName, @Nullable Path tower) throws IOException {
        Files.writeString(model.resolve("config.json"), """
                {"model_type":"llava","hidden_size":12,"intermediate_size":20,"num_hidden_layers":2,
                 "num_attention_heads":3,"num_key_value_heads":1,"vocab_size":32,"max_position_embeddings":64,
                 "mm_vision_select_layer":-2,"mm_vision_tower":"%s"}""".formatted(towerName));
        try (Checkpoint checkpoint =
                Checkpoint.open(model, new ModelParts(tower, null)).requireComplete()) {
            return checkpoint.config().vision();
        }
    }

    @Test
    void tiedHeadMustBeTheTable() throws IOException {
        ModelKind tied = new ModelKind.Llama(TIED);
        List<TensorSource> tensors = tensors(tied);
        float[] table = new float[32 * 12];
        tensors.removeIf(tensor -> tensor.name().equals(CanonicalNames.EMBED_TOKENS));
        tensors.add(TensorSource.of(CanonicalNames.EMBED_TOKENS, table, 32, 12));
        Path model = Files.createDirectory(folder.resolve("model"));
        Files.write(model.resolve("config.json"), StrictJson.pretty(ModelConfigWriter.write(tied, DType.F32)));
        tensors.add(TensorSource.of(CanonicalNames.LM_HEAD, table, 32, 12));
        SafeTensorsWriter.write(model.resolve("model.safetensors"), tensors, Map.of());
        try (Checkpoint read = Checkpoint.open(model).requireComplete()) {
            assertThat(read.ignored()).containsExactly(CanonicalNames.LM_HEAD);
        }
        tensors.removeLast();
        float[] other = new float[32 * 12];
        other[5] = 1;
        tensors.add(TensorSource.of(CanonicalNames.LM_HEAD, other, 32, 12));
        SafeTensorsWriter.write(model.resolve("model.safetensors"), tensors, Map.of());
        try (Checkpoint read = Checkpoint.open(model)) {
            assertThatThrownBy(read::requireComplete).hasMessageContaining("unexpected: lm_head.weight");
        }
    }
}
