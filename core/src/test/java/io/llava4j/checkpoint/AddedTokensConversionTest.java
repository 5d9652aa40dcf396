package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.text.AddedToken;
import io.llava4j.text.SentencePieceTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AddedTokensConversionTest {
    @TempDir
    Path folder;

    @Test
    void addedTokensPassThroughEveryLayout() throws IOException {
        Path tokenizers = folder.resolve("tokenizer");
        int vocabulary = SmallModel.trainTokenizer(tokenizers).vocabSize();
        Files.writeString(
                tokenizers.resolve("added_tokens.json"),
                "{\"<image>\": %d, \"<pad>\": %d, \"<loc_7>\": %d}"
                        .formatted(vocabulary, vocabulary + 1, vocabulary + 2));
        Path from =
                SmallModel.write(folder.resolve("model"), SmallModel.config(vocabulary + 8, vocabulary), tokenizers);
        int step = 0;
        for (CheckpointLayout layout : List.of(
                CheckpointLayout.HF_NEW,
                CheckpointLayout.GGUF,
                CheckpointLayout.HF_OLD,
                CheckpointLayout.LIUHAOTIAN,
                CheckpointLayout.GGUF,
                CheckpointLayout.LIUHAOTIAN)) {
            from = SmallModel.convert(from, folder.resolve("step" + step++), layout, null);
            try (Checkpoint read = Checkpoint.open(from).requireComplete()) {
                SentencePieceTokenizer tokenizer = read.tokenizer().orElseThrow();
                assertThat(tokenizer.addedTokens())
                        .as("%s", from)
                        .contains(new AddedToken(vocabulary + 2, "<loc_7>", false));
                assertThat(tokenizer.encode("<loc_7>")).endsWith(vocabulary + 2);
            }
        }
    }

    @Test
    void aVocabularyInTokenizerJsonAloneIsTheSame() throws IOException {
        Path tokenizers = folder.resolve("tokenizer");
        SentencePieceTokenizer trained = SmallModel.trainTokenizer(tokenizers);
        Path model =
                SmallModel.write(folder.resolve("model"), SmallModel.config(trained.vocabSize() + 8, -1), tokenizers);
        Path hf = SmallModel.convert(model, folder.resolve("hf"), CheckpointLayout.HF_NEW, null);
        Files.delete(hf.resolve("tokenizer.model"));
        SentencePieceTokenizer read = SentencePieceTokenizer.load(hf);
        for (String text : List.of("the cat is on the mat", "what? ☃ \n  the  dog</s>is", "")) {
            assertThat(read.encode(text)).containsExactly(trained.encode(text));
        }
        assertThat(read.legacy()).isEqualTo(trained.legacy());
        try (Checkpoint checkpoint = Checkpoint.open(hf)) {
            assertThat(checkpoint.tokenizer()).isPresent();
        }
        Path back = SmallModel.convert(hf, folder.resolve("back"), CheckpointLayout.GGUF, null);
        try (Checkpoint checkpoint = Checkpoint.open(back)) {
            assertThat(checkpoint.tokenizer().orElseThrow().encode("the cat"))
                    .containsExactly(trained.encode("the cat"));
        }
    }
}
