package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.llava4j.CheckpointException;
import io.llava4j.ConfigException;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.gguf.Gguf;
import io.llava4j.checkpoint.gguf.GgufMetadata;
import io.llava4j.checkpoint.gguf.GgufTokenizer;
import io.llava4j.checkpoint.gguf.GgufWriter;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.layout.TensorSource;
import io.llava4j.image.AspectMode;
import io.llava4j.model.LlavaConfig;
import io.llava4j.model.TextConfig;
import io.llava4j.model.VisionConfig;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.VocabularyTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ConverterTest {
    private static final Converter.Progress QUIET = (tensor, number, total) -> {};
    private static final String TEXT = "the cat is on the mat ▁</s>\nÄ é 猫";

    /** Rows of 32 and 64 make whole blocks, the tower's rows of 16 do not. */
    private static final VisionConfig TOWER = new VisionConfig(16, 32, 2, 2, 28, 14, 1e-5, "gelu", List.of());

    @TempDir
    private static Path shared;

    private static Path tokenizerDir = Path.of("");

    @SuppressWarnings("NullAway.Init") // before all tests
    private static SentencePieceTokenizer tokenizer;

    @TempDir
    private Path folder;

    @BeforeAll
    static void vocabulary() {
        tokenizerDir = shared.resolve("tokenizer");
        tokenizer = VocabularyTrainer.train(
                List.of("the cat is on the mat and the dog is not", "what is the cat on?")
                        .iterator(),
                VocabularyTrainer.MIN_SIZE + 5,
                tokenizerDir);
    }

    private static LlavaConfig config(int vocabulary, int imageToken) {
        return new LlavaConfig(
                TOWER,
                new TextConfig(32, 64, 2, 4, 2, vocabulary, 128, 1e-6, 20000, false, 1, 2, 0),
                "mlp2x_gelu",
                -2,
                false,
                AspectMode.PAD,
                imageToken,
                96);
    }

    private Path model(LlavaConfig config, @Nullable Path tokenizers) {
        Random random = new Random(5);
        List<TensorSource> tensors = new ArrayList<>();
        ModelKind kind = new ModelKind.Llava(config);
        ExpectedTensors.of(kind).shapes().forEach((name, shape) -> {
            float[] values = new float[Math.toIntExact(Arrays.stream(shape).reduce(1, (a, b) -> a * b))];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextGaussian();
            }
            tensors.add(TensorSource.of(name, values, shape));
        });
        Path model = folder.resolve("model");
        CheckpointWriter.save(model, kind, tokenizers, tensors);
        return model;
    }

    private Path convert(Path from, String name, CheckpointLayout layout, @Nullable Precision precision) {
        Path target = folder.resolve(name);
        try (Checkpoint checkpoint = Checkpoint.open(from)) {
            Converter.convert(checkpoint, target, layout, precision, QUIET);
        }
        return target;
    }

    /** LLaVA's own models have no image token; transformers' need one, and so rows for it. */
    @Test
    void transformersModelsGetAnImageTokenAndAllTheirFiles() {
        int pieces = tokenizer.vocabSize();
        Path model = model(config(pieces, -1), tokenizerDir);
        Path hf = convert(model, "hf", CheckpointLayout.HF_NEW, null);
        for (String file : List.of(
                "config.json",
                "generation_config.json",
                "preprocessor_config.json",
                "processor_config.json",
                "chat_template.json",
                "tokenizer.model",
                "tokenizer.json",
                "tokenizer_config.json",
                "special_tokens_map.json",
                "added_tokens.json")) {
            assertThat(hf.resolve(file)).isNotEmptyFile();
        }
        assertThat(hf.resolve("added_tokens.json")).content().contains("\"<image>\" : " + pieces);
        assertThat(hf.resolve("preprocessor_config.json")).content().contains("LlavaImageProcessor");
        try (Checkpoint before = Checkpoint.open(model);
                Checkpoint after = Checkpoint.open(hf).requireComplete()) {
            LlavaConfig grown = after.config();
            assertThat(grown.imageTokenId()).isEqualTo(pieces);
            assertThat(grown.text().padTokenId()).isEqualTo(pieces + 1);
            int rows = grown.text().vocabSize();
            assertThat(rows % 64).isZero();
            assertThat(rows).isBetween(pieces + 2, pieces + 65);
            assertThat(grown.aspectMode()).isEqualTo(AspectMode.PAD);
            assertThat(grown.maxSequenceLength()).isEqualTo(96);
            assertThat(after.tokenizer().orElseThrow().encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
            for (String table : List.of(CanonicalNames.EMBED_TOKENS, CanonicalNames.LM_HEAD)) {
                float[] old = before.tensor(table).toFloats();
                float[] now = after.tensor(table).toFloats();
                assertThat(Arrays.copyOf(now, old.length)).isEqualTo(old);
                for (int column = 0; column < 32; column++) {
                    double mean = 0;
                    for (int row = 0; row < pieces; row++) {
                        mean += old[row * 32 + column] / (double) pieces;
                    }
                    assertThat(now[(pieces + 1) * 32 + column]).isCloseTo((float) mean, offset(1e-6f));
                }
            }
        }
    }

    @Test
    void ggufEmbedsTheTokenizer() {
        Path model = model(config(tokenizer.vocabSize() + 9, tokenizer.vocabSize()), tokenizerDir);
        Path gguf = convert(model, "gguf", CheckpointLayout.GGUF, Precision.F16);
        try (Checkpoint read = Checkpoint.open(gguf)) {
            SentencePieceTokenizer embedded = read.tokenizer().orElseThrow();
            assertThat(embedded.vocabSize()).isEqualTo(tokenizer.vocabSize());
            assertThat(embedded.legacy()).isEqualTo(tokenizer.legacy());
            assertThat(embedded.encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
            assertThat(read.config()).isEqualTo(config(tokenizer.vocabSize() + 9, tokenizer.vocabSize()));
        }
        try (Gguf file = Gguf.open(gguf.resolve("model-F16.gguf"))) {
            List<String> tokens =
                    file.metadata().list("tokenizer.ggml.tokens", String.class).orElseThrow();
            assertThat(tokens).hasSize(tokenizer.vocabSize() + 9).contains("<image>");
            assertThat(file.metadata().string("tokenizer.chat_template").orElseThrow())
                    .contains("\"USER: \"");
        }
        Path back = convert(gguf, "back", CheckpointLayout.LIUHAOTIAN, null);
        try (Checkpoint read = Checkpoint.open(back)) {
            assertThat(read.tokenizer().orElseThrow().encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
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
            case F16, Q8_0, Q4_0 -> 0x1p-11;
            case BF16 -> 0x1p-8;
        };
        // Of a block's largest, which is below 4.5 here: half a step, a whole one above 7 of -8…7, and the scale's
        // rounding.
        double blocks = switch (precision) {
            case Q8_0 -> 4.5 / 127 / 2 + 4.5 / 2048;
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
        Path decoder = gguf.resolve("model-F32.gguf");
        Path mmproj = gguf.resolve("mmproj-F32.gguf");
        Path second = Files.copy(decoder, gguf.resolve("second.gguf"));
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
        Files.delete(decoder);
        assertThatThrownBy(() -> Checkpoint.open(gguf)).hasMessageContaining("but no language model");
        Files.delete(mmproj);
        assertThatThrownBy(() -> Checkpoint.open(gguf)).isInstanceOf(CheckpointException.class);
    }

    @Test
    void impossibleTokensAreRefused() {
        Path gguf =
                convert(model(config(tokenizer.vocabSize(), -1), tokenizerDir), "gguf", CheckpointLayout.GGUF, null);
        Map<String, Object> good;
        try (Gguf file = Gguf.open(gguf.resolve("model-F32.gguf"))) {
            good = file.metadata().values();
        }
        refusedTokens(good, "tokenizer.ggml.bos_token_id", (long) Integer.MAX_VALUE, "bos_token_id is 2147483647");
        refusedTokens(good, "tokenizer.ggml.eos_token_id", -1L, "eos_token_id is -1");
        refusedTokens(good, "tokenizer.ggml.model", "gpt2", "tokenizer.ggml.model is gpt2; llava4j needs llama");
        refusedTokens(good, "tokenizer.ggml.scores", List.of(0.5), "tokens have 1 scores");
        refusedTokens(good, "tokenizer.ggml.tokens", List.of(1L), "tokenizer.ggml.tokens is [1]");
    }

    private static void refusedTokens(Map<String, Object> good, String key, Object value, String reason) {
        Map<String, Object> changed = new LinkedHashMap<>(good);
        changed.put(key, value);
        assertThatThrownBy(() -> GgufTokenizer.read(new GgufMetadata(Path.of("a.gguf"), changed)))
                .hasMessageStartingWith("a.gguf: ")
                .hasMessageContaining(reason);
    }

    @Test
    void aDecoderAloneIsALlama() throws IOException {
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
        refused(gguf, "mmproj-F32.gguf", "clip.vision.image_mean", new float[] {0, 0, 0}, "llava4j needs CLIP's");
        refused(gguf, "model-F32.gguf", "llama.block_count", 16_000_000, "llama.block_count is 16000000");
        refused(gguf, "model-F32.gguf", "llama.attention.head_count", 5, "llama.attention.head_count is 5");
        refused(gguf, "model-F32.gguf", "llama.attention.head_count_kv", 3, "llama.attention.head_count_kv is 3");
        refused(gguf, "model-F32.gguf", "llama.rope.scaling.type", "linear", "llama.rope.scaling.type is linear");
        refused(gguf, "model-F32.gguf", "split.count", 2, "one part of a split model");
        refused(gguf, "model-F32.gguf", "general.architecture", "qwen2", "general.architecture is qwen2");
        refused(
                gguf,
                "model-F32.gguf",
                "llama.block_count",
                3,
                "9 tensors are missing: model.layers.2.self_attn.q_proj");
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

    @Test
    void whatTheTargetCannotHoldIsRefusedAndNothingIsLeft() throws IOException {
        Path model = model(config(48, -1), null);
        assertThatThrownBy(() -> convert(model, "t", CheckpointLayout.HF_NEW, Precision.Q8_0))
                .hasMessageContaining("Q8_0 weights are written as GGUF only");
        assertThatThrownBy(() -> convert(model, "t", CheckpointLayout.LIUHAOTIAN, Precision.Q4_0))
                .hasMessageContaining("Q4_0 weights are written as GGUF only");
        LlavaConfig usual = config(48, -1);
        LlavaConfig linear = new LlavaConfig(usual.vision(), usual.text(), "linear", -2, true, AspectMode.PAD, -1, 0);
        folder = Files.createDirectory(folder.resolve("linear"));
        Path other = model(linear, null);
        assertThatThrownBy(() -> convert(other, "t", CheckpointLayout.HF_NEW, null))
                .hasMessageContaining("projector is linear");
        assertThatThrownBy(() -> convert(other, "t", CheckpointLayout.GGUF, null))
                .hasMessageContaining("projector is linear");
        assertThatThrownBy(() -> convert(other, "model", CheckpointLayout.LIUHAOTIAN, null))
                .hasMessageContaining("exists already");
        try (var entries = Files.list(folder)) {
            assertThat(entries).containsExactly(other);
        }
    }

    @Test
    void mismatchedTokenizersAreRefused() {
        Path model = model(config(48, -1), tokenizerDir);
        assertThatThrownBy(() -> convert(model, "gguf", CheckpointLayout.GGUF, null))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("pieces but the embedding table only 48 rows");
        assertThat(folder.resolve("gguf")).doesNotExist();
    }
}
