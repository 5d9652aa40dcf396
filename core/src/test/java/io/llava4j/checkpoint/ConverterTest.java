package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.Tiling;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConverterTest {
    private static final String TEXT = "the cat is on the mat ▁</s>\nÄ é 猫";

    @TempDir
    private static Path tokenizerDir;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static SentencePieceTokenizer tokenizer;

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

    @BeforeAll
    static void vocabulary() {
        tokenizer = SmallModel.trainTokenizer(tokenizerDir);
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
            LlavaConfig resized = after.config();
            assertThat(resized.imageTokenId()).isEqualTo(pieces);
            assertThat(resized.text().padTokenId()).isEqualTo(pieces + 1);
            int rows = resized.text().vocabSize();
            assertThat(rows % 64).isZero();
            assertThat(rows).isBetween(pieces + 2, pieces + 65);
            assertThat(resized.aspectMode()).isEqualTo(AspectMode.PAD);
            assertThat(resized.maxSequenceLength()).isEqualTo(96);
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

    /** Through both layouts of transformers and back: the same model to the last bit, its row-end token included. */
    @Test
    void modelsThatTileImagesGoThroughEveryLayoutButGguf() {
        LlavaConfig tiled = config(tokenizer.vocabSize(), -1)
                .withAspectMode(AspectMode.ANYRES)
                .withTiling(
                        new Tiling(List.of(new ImageSize(56, 28), new ImageSize(28, 84)), PatchMerge.SPATIAL_UNPAD));
        Path model = model(tiled, tokenizerDir);
        Path older = convert(model, "old", CheckpointLayout.HF_OLD, null);
        Path newer = convert(older, "new", CheckpointLayout.HF_NEW, null);
        Path back = convert(newer, "back", CheckpointLayout.LIUHAOTIAN, null);
        assertThat(older.resolve("preprocessor_config.json")).content().contains("LlavaNextImageProcessor");
        assertThat(newer.resolve("processor_config.json")).content().contains("LlavaNextProcessor");
        try (Checkpoint source = Checkpoint.open(model)) {
            for (Path other : List.of(older, newer, back)) {
                try (Checkpoint converted = Checkpoint.open(other).requireComplete()) {
                    assertThat(converted.config().tiling()).isEqualTo(tiled.tiling());
                    assertThat(converted.config().aspectMode()).isEqualTo(AspectMode.ANYRES);
                    for (String name : source.tensors().keySet()) {
                        float[] values = source.tensor(name).toFloats();
                        assertThat(Arrays.copyOf(converted.tensor(name).toFloats(), values.length))
                                .as(name)
                                .isEqualTo(values);
                    }
                }
            }
            assertThat(source.tensors()).containsKey(CanonicalNames.ROW_END);
        }
        for (Path any : List.of(model, newer)) {
            assertThatThrownBy(() -> convert(any, "gguf", CheckpointLayout.GGUF, null))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("cannot be written as GGUF: it tiles images");
        }
        assertThat(folder.resolve("gguf")).doesNotExist();
    }

    @Test
    void tilesThatTransformersMergesOtherwiseAreRefused() {
        Tiling flat = new Tiling(List.of(new ImageSize(56, 28)), PatchMerge.FLAT);
        Path model = model(config(48, -1).withAspectMode(AspectMode.ANYRES).withTiling(flat), null);
        assertThatThrownBy(() -> convert(model, "hf", CheckpointLayout.HF_NEW, null))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("it merges tiles as flat, and transformers knows spatial_unpad only");
        try (Checkpoint again = Checkpoint.open(convert(model, "again", CheckpointLayout.LIUHAOTIAN, null))) {
            assertThat(again.requireComplete().config().tiling()).isEqualTo(flat);
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
