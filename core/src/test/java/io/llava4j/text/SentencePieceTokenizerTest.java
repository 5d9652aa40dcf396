package io.llava4j.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class SentencePieceTokenizerTest {
    @Test
    void encodesAsTheReferenceInBothModes() {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        SentencePieceTokenizer legacy = tokenizer.withLegacy(true);
        JsonNode cases = TokenizerGoldens.json("tokenizer_cases.json").path("encode");
        assertThat(tokenizer.legacy()).isFalse();
        assertThat(cases.size()).isEqualTo(62);
        for (JsonNode c : cases) {
            String text = c.path("text").stringValue();
            int[] ids = tokenizer.encodeWithBos(text);
            assertThat(ids).as("ids of '%s'", text).isEqualTo(TokenizerGoldens.ids(c.path("ids")));
            assertThat(legacy.encodeWithBos(text))
                    .as("legacy ids of '%s'", text)
                    .isEqualTo(TokenizerGoldens.ids(c.path("ids_legacy_true")));
            assertThat(tokenizer.encodeOrdinary(text))
                    .as("plain ids of '%s'", text)
                    .isEqualTo(TokenizerGoldens.ids(c.path("ids_sentencepiece_plain")));
            assertThat(Arrays.stream(ids).mapToObj(tokenizer::piece).toList())
                    .isEqualTo(c.path("pieces")
                            .valueStream()
                            .map(JsonNode::stringValue)
                            .toList());
            assertThat(tokenizer.decode(ids, true))
                    .isEqualTo(c.path("decode_skip_special").stringValue());
            assertThat(tokenizer.decode(ids, false))
                    .isEqualTo(c.path("decode_keep_special").stringValue());
        }
    }

    @Test
    void decodesAsTheReferenceAlsoBrokenBytes() {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        JsonNode cases = TokenizerGoldens.json("tokenizer_cases.json").path("decode");
        assertThat(cases.size()).isEqualTo(27);
        for (JsonNode c : cases) {
            int[] ids = TokenizerGoldens.ids(c.path("ids"));
            assertThat(tokenizer.decode(ids, true))
                    .isEqualTo(c.path("decode_skip_special").stringValue());
            assertThat(tokenizer.decode(ids, false))
                    .isEqualTo(c.path("decode_keep_special").stringValue());
        }
    }

    /** Expected ids of a third party (llama.cpp's vocabulary test), one line per text. */
    @Test
    void agreesWithAnotherProjectsExpectedIds() throws IOException {
        Path dir = TokenizerGoldens.require(TokenizerGoldens.LLAMA2);
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(dir);
        String[] texts =
                Files.readString(dir.resolve("ggml-vocab-llama-spm.gguf.inp")).split("\n__ggml_vocab_test__\n", -1);
        List<String> lines = Files.readAllLines(dir.resolve("ggml-vocab-llama-spm.gguf.out"));
        assertThat(tokenizer.legacy())
                .as("no tokenizer_config.json means legacy")
                .isTrue();
        assertThat(lines).hasSize(46);
        for (int i = 0; i < lines.size(); i++) {
            int[] expected = Arrays.stream(lines.get(i).strip().split(" "))
                    .filter(id -> !id.isEmpty())
                    .mapToInt(Integer::parseInt)
                    .toArray();
            assertThat(tokenizer.encode(texts[i])).as("ids of '%s'", texts[i]).isEqualTo(expected);
        }
    }

    @Test
    void knowsItsSpecialIds() {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        assertThat(tokenizer.vocabSize()).isEqualTo(32000);
        assertThat(new int[] {tokenizer.unkId(), tokenizer.bosId(), tokenizer.eosId(), tokenizer.padId()})
                .containsExactly(0, 1, 2, 0);
        assertThat(tokenizer.piece(29871)).isEqualTo("\u2581");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void decodingUndoesEncoding(long seed) {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            String text = RandomText.next(random);
            assertThat(tokenizer.decode(tokenizer.encode(text), true)).isEqualTo(text);
            assertThat(tokenizer.withLegacy(true).encode(text)).isEqualTo(tokenizer.encode(text));
        }
    }

    @Test
    void streamsWhatDecodeGives() {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        Random random = new Random(4);
        for (int i = 0; i < 2000; i++) {
            // Mostly byte pieces (3 to 258), so that broken characters are common.
            int[] ids = random.ints(1 + random.nextInt(12), 0, random.nextInt(4) == 0 ? 32064 : 259)
                    .toArray();
            boolean skip = random.nextBoolean();
            StreamDecoder stream = tokenizer.streamDecoder(skip);
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                String part = stream.accept(id);
                assertThat(part.isEmpty() || !Character.isHighSurrogate(part.charAt(part.length() - 1)))
                        .as("no half character")
                        .isTrue();
                text.append(part);
            }
            assertThat(text.append(stream.finish()).toString()).isEqualTo(tokenizer.decode(ids, skip));
        }
    }

    @Test
    void holdsBackUnfinishedCharacters() {
        StreamDecoder stream = TokenizerGoldens.tokenizer().streamDecoder(true);
        assertThat(new String[] {
                    stream.accept(15043),
                    stream.accept(243),
                    stream.accept(162),
                    stream.accept(155),
                    stream.accept(131),
                    stream.accept(243),
                    stream.finish()
                })
                .containsExactly("Hello", "", "", "", "😀", "", "\ufffd");
        assertThatThrownBy(() -> stream.accept(-200)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void startsGiveThePositionOfEveryToken() {
        Encoding encoding = TokenizerGoldens.tokenizer().encodeWithStarts("Hi 2😀</s> ok");
        // ▁Hi ▁ 2 four bytes </s> ▁ok
        assertThat(encoding.starts()).containsExactly(0, 2, 3, 4, 4, 4, 4, 6, 10);
    }

    @Test
    void longTextWithoutSpacesIsEncodedInFull() {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        String text = "ab日".repeat(50_000);
        assertThat(tokenizer.decode(tokenizer.encode(text), true)).isEqualTo(text);
    }

    @Test
    void loneSurrogatesBecomeTheReplacementCharacter() {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        assertThat(tokenizer.decode(tokenizer.encode("a\ud83db"), true)).isEqualTo("a\ufffdb");
    }

    @Test
    void damagedModelsAreRefusedWithOneSentence(@TempDir Path dir) throws IOException {
        byte[] good = Files.readAllBytes(
                TokenizerGoldens.require(TokenizerGoldens.DIR).resolve("tokenizer.model"));
        Path file = dir.resolve("tokenizer.model");
        Random random = new Random(5);
        int refused = 0;
        for (int i = 0; i < 20; i++) {
            byte[] bad = Arrays.copyOf(good, random.nextInt(good.length));
            for (int k = 0; k < 3 && bad.length > 0; k++) {
                bad[random.nextInt(Math.min(bad.length, 200))] = (byte) random.nextInt();
            }
            Files.write(file, bad);
            try {
                SentencePieceTokenizer.load(dir);
            } catch (CheckpointException e) {
                assertThat(e).hasMessageContaining("tokenizer.model");
                refused++;
            }
        }
        assertThat(refused).isEqualTo(20);
        Files.delete(file);
        assertThatThrownBy(() -> SentencePieceTokenizer.load(dir))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("cannot read the tokenizer");
    }

    @Test
    void configGivesModeAndPadToken(@TempDir Path dir) throws IOException {
        Files.copy(
                TokenizerGoldens.require(TokenizerGoldens.DIR).resolve("tokenizer.model"),
                dir.resolve("tokenizer.model"));
        Path config = dir.resolve("tokenizer_config.json");
        Files.writeString(config, "{\"pad_token\": {\"content\": \"</s>\"}, \"legacy\": null}");
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(dir);
        assertThat(tokenizer.legacy()).isTrue();
        assertThat(tokenizer.padId()).isEqualTo(2);
        Files.writeString(config, "{\"legacy\": \"no\"}");
        assertThatThrownBy(() -> SentencePieceTokenizer.load(dir))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("legacy");
        Files.writeString(config, "{");
        assertThatThrownBy(() -> SentencePieceTokenizer.load(dir))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tokenizer_config.json");
    }
}
