package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.gguf.Gguf;
import io.llava4j.checkpoint.gguf.GgufMetadata;
import io.llava4j.checkpoint.gguf.GgufTokenizer;
import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The tokenizer inside a GGUF file. */
class GgufTokenizerTest {
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
        refusedTokens(good, "tokenizer.ggml.add_bos_token", false, "add_bos_token is false; llava4j needs true");
        refusedTokens(good, "tokenizer.ggml.add_eos_token", true, "add_eos_token is true; llava4j needs false");
        refusedTokens(good, "tokenizer.ggml.add_space_prefix", false, "add_space_prefix is false");
        refusedTokens(good, "tokenizer.ggml.remove_extra_whitespaces", true, "remove_extra_whitespaces is true");
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
}
