package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.gguf.Gguf;
import io.llava4j.checkpoint.gguf.GgufWriter;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.RopePermutation;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.text.ConversationTemplate;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** GGUF files: written, read again, and refused where they are damaged. */
class GgufConversionTest {
    @TempDir
    private Path folder;

    private Path model(LlavaConfig config, @Nullable Path tokenizers) {
        return SmallModel.write(folder.resolve("model"), config, tokenizers);
    }

    private Path convert(Path from, String name, CheckpointLayout layout, @Nullable Precision precision) {
        return SmallModel.convert(from, folder.resolve(name), layout, precision);
    }

    private static LlavaConfig config(int vocabulary, int imageToken) {
        return SmallModel.config(vocabulary, imageToken);
    }

    @Test
    void theConversationTemplateIsKept() {
        LlavaConfig config = config(48, -1).withConversationTemplate(ConversationTemplate.named("llava_llama_2"));
        try (Checkpoint read = Checkpoint.open(convert(model(config, null), "gguf", CheckpointLayout.GGUF, null))) {
            assertThat(read.config()).isEqualTo(config);
        }
    }

    /** Every precision comes back within its rounding; what can be exact is. */
    @ParameterizedTest
    @EnumSource(Precision.class)
    void precisionsKeepWhatTheyCan(Precision precision) {
        Path model = model(config(48, -1), null);
        Path gguf = convert(model, "gguf", CheckpointLayout.GGUF, precision);
        double step = switch (precision) {
            case F32 -> 0;
            case F16, Q8_0, Q4_0, Q4_K_M -> 0x1p-11;
            case BF16 -> 0x1p-8;
        };
        // Of a block's largest, which is below 4.5 here: half a step, a whole one above 7 of -8…7, and the scale's
        // rounding.
        double blocks = switch (precision) {
            case Q8_0, Q4_K_M -> 4.5 / 127 / 2 + 4.5 / 2048; // no row is a multiple of 256
            case Q4_0 -> 4.5 / 8 + 4.5 / 2048;
            default -> 0;
        };
        try (Checkpoint exact = Checkpoint.open(model);
                Checkpoint read = Checkpoint.open(gguf).requireComplete()) {
            assertThat(read.layout()).isEqualTo(CheckpointLayout.GGUF);
            assertThat(read.config()).isEqualTo(exact.config());
            for (TensorEntry tensor : exact.tensors().values()) {
                float[] values = tensor.toFloats();
                float[] stored = read.tensor(tensor.name()).toFloats();
                for (int i = 0; i < values.length; i++) {
                    assertThat((double) Math.abs(stored[i] - values[i]))
                            .as(tensor.name())
                            .isLessThanOrEqualTo(Math.abs(values[i]) * step + blocks);
                }
                if (tensor.shape().length == 1) {
                    assertThat(stored).as(tensor.name()).isEqualTo(values);
                }
            }
        }
        Path again = convert(gguf, "again", CheckpointLayout.GGUF, precision);
        assertThat(again.resolve("model-" + precision + ".gguf"))
                .hasBinaryContent(bytes(gguf.resolve("model-" + precision + ".gguf"), "gguf", "again"));
    }

    /** A caller can take the blocks of the file as they are; only the rows of queries and keys move. */
    @ParameterizedTest
    @EnumSource(names = {"Q8_0", "Q4_0"})
    void quantisedBlocksAreHandedOverAsTheyLieInTheFile(Precision precision) {
        LlavaConfig config = config(48, -1);
        Path gguf = convert(model(config, null), "gguf", CheckpointLayout.GGUF, precision);
        int quantised = 0;
        try (Checkpoint read = Checkpoint.open(gguf);
                Gguf file = Gguf.open(gguf.resolve("model-" + precision + ".gguf"))) {
            for (TensorEntry tensor : read.tensors().values()) {
                Gguf.Entry entry = file.tensors().get(CheckpointLayout.GGUF.onDisk(tensor.name()));
                if (entry == null || !entry.type().isQuantised()) {
                    assertThat(tensor.content()).isNotInstanceOf(TensorEntry.Blocks.class);
                    continue;
                }
                quantised++;
                TensorEntry.Blocks blocks = (TensorEntry.Blocks) tensor.content();
                assertThat(blocks.format()).isEqualTo(entry.type());
                MemorySegment data = blocks.data().get();
                int heads = RopePermutation.heads(tensor.name(), config.text());
                if (heads == 0) {
                    assertThat(data.isNative()).as("a view of the file").isTrue();
                    assertThat(data.mismatch(entry.data())).as(tensor.name()).isEqualTo(-1);
                } else {
                    MemorySegment interleaved = MemorySegment.ofArray(new byte[(int) data.byteSize()]);
                    RopePermutation.interleave(data, heads, tensor.shape()[0], interleaved);
                    assertThat(interleaved.mismatch(entry.data()))
                            .as(tensor.name())
                            .isEqualTo(-1);
                }
                float[] decoded = new float[(int) tensor.elements()];
                TensorCast.decode(blocks.format(), data, 0, decoded.length, decoded);
                assertThat(decoded).as(tensor.name()).isEqualTo(tensor.toFloats());
            }
        }
        // Seven matrices a layer, the embedding table and the head.
        assertThat(quantised).isEqualTo(7 * config.text().layers() + 2);
    }

    /** The file, with the model's name in it changed to another one of the same header length. */
    private static byte[] bytes(Path file, String name, String other) {
        try (Gguf gguf = Gguf.open(file)) {
            SequencedMap<String, Object> keys = writable(gguf.metadata().values());
            assertThat(keys.put("general.name", other)).isEqualTo(name);
            Path renamed = file.resolveSibling("renamed");
            GgufWriter.write(renamed, keys, sources(gguf, UnaryOperator.identity()));
            byte[] content = Files.readAllBytes(renamed);
            Files.delete(renamed);
            return content;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static List<GgufWriter.Source> sources(Gguf gguf, UnaryOperator<String> names) {
        List<GgufWriter.Source> sources = new ArrayList<>();
        gguf.tensors()
                .values()
                .forEach(entry -> sources.add(
                        new GgufWriter.Source(names.apply(entry.name()), entry.type(), entry.shape(), entry::data)));
        sources.removeIf(source -> source.name().isEmpty());
        return sources;
    }

    private static SequencedMap<String, Object> writable(Map<String, Object> values) {
        SequencedMap<String, Object> keys = new LinkedHashMap<>();
        values.forEach((key, value) -> keys.put(
                key,
                switch (value) {
                    case Long number -> number.intValue();
                    case Double number -> number.floatValue();
                    case List<?> list -> numbers(list);
                    default -> value;
                }));
        return keys;
    }

    private static Object numbers(List<?> list) {
        if (list.getFirst() instanceof Long) {
            return list.stream().mapToInt(number -> ((Long) number).intValue()).toArray();
        }
        return list.getFirst() instanceof Double ? floats(list) : list;
    }

    private static float[] floats(List<?> numbers) {
        float[] floats = new float[numbers.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = ((Double) numbers.get(i)).floatValue();
        }
        return floats;
    }

    /** llama.cpp's first converters swapped the names of the tower's MLP and left the last norm out. */
    @Test
    void oldTowerFilesAreUnderstood() throws IOException {
        Path model = model(config(48, -1), null);
        Path gguf = convert(model, "gguf", CheckpointLayout.GGUF, Precision.F32);
        Path mmproj = gguf.resolve("mmproj-F32.gguf");
        try (Gguf file = Gguf.open(mmproj)) {
            SequencedMap<String, Object> keys = writable(file.metadata().values());
            keys.remove("clip.vision.feature_layer");
            keys.keySet().removeIf(key -> key.startsWith("llava4j."));
            GgufWriter.write(
                    gguf.resolve("old"),
                    keys,
                    sources(
                            file,
                            name -> name.startsWith("llava4j.")
                                    ? ""
                                    : name.contains("ffn_up")
                                            ? name.replace("ffn_up", "ffn_down")
                                            : name.replace("ffn_down", "ffn_up")));
        }
        Files.delete(mmproj);
        try (Checkpoint exact = Checkpoint.open(model);
                Checkpoint old = Checkpoint.open(gguf).requireComplete()) {
            assertThat(old.config().selectLayer()).isEqualTo(-2);
            for (TensorEntry tensor : exact.tensors().values()) {
                float[] values = old.tensor(tensor.name()).toFloats();
                if (tensor.name().contains("post_layernorm")) {
                    assertThat(values).containsOnly(tensor.name().endsWith("weight") ? 1f : 0f);
                } else {
                    assertThat(values).as(tensor.name()).isEqualTo(tensor.toFloats());
                }
            }
        }
    }

    @Test
    void filesThatDoNotBelongTogetherAreRefused() throws IOException {
        Path gguf = convert(model(config(48, -1), null), "gguf", CheckpointLayout.GGUF, null);
        Path languageModel = gguf.resolve("model-F32.gguf");
        Path mmproj = gguf.resolve("mmproj-F32.gguf");
        Path second = Files.copy(languageModel, gguf.resolve("second.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(gguf))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("2 GGUF files of a language model, model-F32.gguf and second.gguf");
        try (Checkpoint named = Checkpoint.open(second)) {
            assertThat(named.requireComplete().kind()).isInstanceOf(ModelKind.Llava.class);
        }
        assertThatThrownBy(() -> Checkpoint.open(mmproj))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("general.architecture is clip; llava4j needs the language model's file");
        Files.delete(second);
        Files.delete(languageModel);
        assertThatThrownBy(() -> Checkpoint.open(gguf)).hasMessageContaining("but no language model");
        Files.delete(mmproj);
        assertThatThrownBy(() -> Checkpoint.open(gguf)).isInstanceOf(CheckpointException.class);
    }

    @Test
    void neighboursOfANamedFileDoNotMatter() throws IOException {
        Path gguf = convert(model(config(48, -1), null), "gguf", CheckpointLayout.GGUF, null);
        Path named = gguf.resolve("model-F32.gguf");
        Path mmproj = gguf.resolve("mmproj-F32.gguf");
        byte[] whole = Files.readAllBytes(named);
        Files.write(gguf.resolve("model-Q8_0.gguf"), Arrays.copyOf(whole, whole.length / 2));
        Files.writeString(gguf.resolve("model-IQ4.gguf"), "GGUF but nothing of the kind");
        rewritten(named, gguf.resolve("model-F16-00001-of-00002.gguf"), "split.count", 2);
        try (Checkpoint read = Checkpoint.open(named)) {
            assertThat(read.requireComplete().kind()).isInstanceOf(ModelKind.Llava.class);
        }
        assertThatThrownBy(() -> Checkpoint.open(gguf.resolve("model-F16-00001-of-00002.gguf")))
                .hasMessageContaining("model-F16-00002-of-00002.gguf does not exist; it is part 2 of 2");
        Path second = Files.copy(mmproj, gguf.resolve("mmproj-second.gguf"));
        assertThatThrownBy(() -> Checkpoint.open(named)).hasMessageContaining("name one with --mmproj");
        for (Path part : List.of(mmproj, second)) {
            try (Checkpoint read = Checkpoint.open(named, new ModelParts(null, part))) {
                assertThat(read.requireComplete().kind()).isInstanceOf(ModelKind.Llava.class);
            }
        }
        assertThatThrownBy(() -> Checkpoint.open(named, new ModelParts(null, named)))
                .hasMessageContaining("general.architecture is llama");
        Files.delete(second);
        Files.write(mmproj, Arrays.copyOf(Files.readAllBytes(mmproj), 200));
        assertThatThrownBy(() -> Checkpoint.open(named)).hasMessageContaining("mmproj-F32.gguf");
    }

    private static void rewritten(Path from, Path to, String key, Object value) {
        try (Gguf read = Gguf.open(from)) {
            SequencedMap<String, Object> keys = writable(read.metadata().values());
            keys.put(key, value);
            GgufWriter.write(to, keys, sources(read, UnaryOperator.identity()));
        }
    }

    /** Parts of the language model and of the tower are joined, whether the folder or a first part is named. */
    @Test
    void aSplitModelIsTheWholeOne() throws IOException {
        Path gguf = convert(model(config(48, -1), null), "gguf", CheckpointLayout.GGUF, null);
        Path split = Files.createDirectory(gguf.resolveSibling("split"));
        split(gguf.resolve("model-F32.gguf"), split.resolve("model-F32"), 3);
        split(gguf.resolve("mmproj-F32.gguf"), split.resolve("mmproj-F32"), 2);
        Path first = split.resolve("model-F32-00001-of-00003.gguf");
        for (Path named : List.of(split, first)) {
            try (Checkpoint whole = Checkpoint.open(gguf);
                    Checkpoint read = Checkpoint.open(named).requireComplete()) {
                assertThat(read.kind()).isEqualTo(whole.kind());
                assertThat(read.tensors().keySet())
                        .containsExactlyInAnyOrderElementsOf(whole.tensors().keySet());
                whole.tensors()
                        .forEach((name, tensor) ->
                                assertThat(read.tensor(name).toFloats()).isEqualTo(tensor.toFloats()));
            }
        }
        assertThatThrownBy(() -> Checkpoint.open(split.resolve("model-F32-00002-of-00003.gguf")))
                .hasMessageContaining("is part 2 of 3 of a split model; name the first part, " + first.getFileName());
        Path last = split.resolve("model-F32-00003-of-00003.gguf");
        Path away = Files.move(last, split.resolveSibling("away"));
        for (Path named : List.of(split, first)) {
            assertThatThrownBy(() -> Checkpoint.open(named))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageStartingWith(last + " does not exist; it is part 3 of 3 of the model of ");
        }
        Files.copy(split.resolve("model-F32-00002-of-00003.gguf"), last);
        assertThatThrownBy(() -> Checkpoint.open(split)).hasMessageContaining("is not part 3 of 3");
        Files.move(away, last, StandardCopyOption.REPLACE_EXISTING);
        rewritten(last, last, "split.later", 1);
        rewritten(first, first, "split.tensors.count", 1000);
        assertThatThrownBy(() -> Checkpoint.open(split)).hasMessageContaining("but the model has 1000");
        Files.delete(first);
        assertThatThrownBy(() -> Checkpoint.open(split)).hasMessageContaining("which is not beside it yet");
    }

    /** As llama.cpp's gguf-split does: metadata in the first part, which has no tensors here. */
    private static void split(Path from, Path prefix, int parts) {
        try (Gguf whole = Gguf.open(from)) {
            List<GgufWriter.Source> sources = sources(whole, UnaryOperator.identity());
            int each = Math.ceilDiv(sources.size(), parts - 1);
            for (int i = 0; i < parts; i++) {
                SequencedMap<String, Object> keys =
                        i == 0 ? writable(whole.metadata().values()) : new LinkedHashMap<>();
                keys.put("split.no", i);
                keys.put("split.count", parts);
                keys.put("split.tensors.count", sources.size());
                GgufWriter.write(
                        prefix.resolveSibling("%s-%05d-of-%05d.gguf".formatted(prefix.getFileName(), i + 1, parts)),
                        keys,
                        i == 0 ? List.of() : sources.subList((i - 1) * each, Math.min(i * each, sources.size())));
            }
        }
    }

    @Test
    void aLanguageModelAloneIsALlama() throws IOException {
        Path gguf = convert(model(config(48, -1), null), "gguf", CheckpointLayout.GGUF, null);
        Files.delete(gguf.resolve("mmproj-F32.gguf"));
        try (Checkpoint read = Checkpoint.open(gguf).requireComplete()) {
            assertThat(read.kind()).isEqualTo(new ModelKind.Llama(config(48, -1).text()));
        }
    }

    @Test
    void changedKeysAreNamed() {
        Path gguf = convert(model(config(48, -1), null), "gguf", CheckpointLayout.GGUF, null);
        refused(gguf, "mmproj-F32.gguf", "clip.projector_type", "ldp", "clip.projector_type is ldp; llava4j needs mlp");
        refused(gguf, "mmproj-F32.gguf", "clip.vision.block_count", 0, "clip.vision.block_count is 0");
        refused(gguf, "mmproj-F32.gguf", "clip.vision.feature_layer", new int[] {9}, "clip.vision.feature_layer");
        refused(gguf, "mmproj-F32.gguf", "clip.vision.image_mean", new float[] {0, 2, 0}, "three numbers from 0 to 1");
        refused(gguf, "mmproj-F32.gguf", "clip.vision.image_std", new float[] {0, 1, 1}, "three numbers above 0");
        refused(gguf, "model-F32.gguf", "llama.block_count", 16_000_000, "llama.block_count is 16000000");
        refused(gguf, "model-F32.gguf", "llama.attention.head_count", 5, "llama.attention.head_count is 5");
        refused(gguf, "model-F32.gguf", "llama.attention.head_count_kv", 3, "llama.attention.head_count_kv is 3");
        refused(gguf, "model-F32.gguf", "llama.rope.scaling.type", "yarn", "llama.rope.scaling.type is yarn");
        refused(gguf, "model-F32.gguf", "llama.attention.sliding_window", 64, "llama.attention.sliding_window is 64");
        refused(gguf, "model-F32.gguf", "llama.attention.value_length", 6, "llama.attention.value_length is 6");
        refused(gguf, "model-F32.gguf", "llama.attention.causal", false, "llama.attention.causal is false");
        refused(gguf, "mmproj-F32.gguf", "clip.vision.spatial_merge_size", 2, "needs a model without this key");
        refused(gguf, "model-F32.gguf", "split.count", 2, "its name must end with -00001-of-00002.gguf");
        refused(gguf, "model-F32.gguf", "general.architecture", "qwen2", "general.architecture is qwen2");
        refused(
                gguf,
                "model-F32.gguf",
                "llama.block_count",
                3,
                "9 tensors are missing: model.layers.2.self_attn.q_proj");
    }

    @Test
    void ropeScalingAndFurtherEndIdsAreReadAndKept() throws IOException {
        LlavaConfig plain = config(48, -1);
        TextConfig text = plain.text();
        TextConfig scaled = new TextConfig(
                32, 64, 2, 4, 2, 48, 128, text.rmsNormEps(), text.ropeTheta(), false, 1, 2, 0, 4, List.of(7, 9));
        Path gguf = convert(model(plain.withText(scaled), null), "gguf", CheckpointLayout.GGUF, null);
        Path back = convert(gguf, "back", CheckpointLayout.HF_NEW, null);
        for (Path folder : List.of(gguf, back)) {
            try (Checkpoint read = Checkpoint.open(folder)) {
                assertThat(read.config().text().ropeFactor()).isEqualTo(4);
                assertThat(read.config().text().eosTokenIds()).containsExactly(2, 7, 9);
            }
        }
    }

    @Test
    void ropeScalingOfOtherConvertersIsRead() throws IOException {
        Path gguf = convert(model(config(48, -1), null), "gguf", CheckpointLayout.GGUF, null);
        assertThat(rope(gguf, "llama.rope.scaling.factor", 8, null)).isEqualTo(8);
        assertThat(rope(gguf, "llama.rope.scale_linear", 8, null)).isEqualTo(8);
        assertThat(rope(gguf, "llama.rope.scaling.factor", 0, null)).isEqualTo(1);
        assertThat(rope(gguf, "llama.rope.scaling.factor", 2, new float[] {8, 8, 8, 8}))
                .isEqualTo(16);
        assertThatThrownBy(() -> rope(gguf, "llama.rope.scaling.factor", 2, new float[] {1, 1, 8, 8}))
                .hasMessageContaining("rope_freqs.weight")
                .hasMessageContaining("unequally");
    }

    /** The factor that is read once a key, and a tensor of frequencies, are added; the file is put back. */
    private static double rope(Path gguf, String key, float value, float @Nullable [] frequencies) throws IOException {
        Path file = gguf.resolve("model-F32.gguf");
        Path kept = gguf.resolveSibling("kept");
        Files.move(file, kept);
        try (Gguf read = Gguf.open(kept)) {
            SequencedMap<String, Object> keys = writable(read.metadata().values());
            keys.put(key, value);
            List<GgufWriter.Source> sources = new ArrayList<>(sources(read, UnaryOperator.identity()));
            if (frequencies != null) {
                MemorySegment data = MemorySegment.ofArray(frequencies);
                sources.add(new GgufWriter.Source("rope_freqs.weight", BlockFormat.F32, new long[] {4}, () -> data));
            }
            GgufWriter.write(file, keys, sources);
        }
        try (Checkpoint read = Checkpoint.open(gguf).requireComplete()) {
            return read.config().text().ropeFactor();
        } finally {
            Files.delete(file);
            Files.move(kept, file);
        }
    }

    private static void refused(Path gguf, String name, String key, Object value, String reason) {
        Path file = gguf.resolve(name);
        Path kept = gguf.resolveSibling("kept");
        try {
            Files.move(file, kept);
            try (Gguf read = Gguf.open(kept)) {
                SequencedMap<String, Object> keys = writable(read.metadata().values());
                keys.put(key, value);
                GgufWriter.write(file, keys, sources(read, UnaryOperator.identity()));
            }
            assertThatThrownBy(() -> {
                        try (Checkpoint opened = Checkpoint.open(gguf)) {
                            opened.requireComplete();
                        }
                    })
                    .hasMessageContaining(reason);
            Files.delete(file);
            Files.move(kept, file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }
}
