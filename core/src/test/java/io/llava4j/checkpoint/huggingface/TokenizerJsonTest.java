package io.llava4j.checkpoint.huggingface;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.CheckpointException;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.VocabularyTrainer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class TokenizerJsonTest {
    @TempDir
    private static Path folder;

    @SuppressWarnings("NullAway.Init") // before all tests
    private static SentencePieceTokenizer tokenizer;

    @BeforeAll
    static void vocabulary() {
        tokenizer = VocabularyTrainer.train(
                List.of("the cat is on the mat and the dog is not there", "what is the cat on, and what is that?")
                        .iterator(),
                VocabularyTrainer.MIN_SIZE + 40,
                folder.resolve("tokenizer"));
    }

    private static ObjectNode json() {
        LinkedHashMap<String, Integer> added = new LinkedHashMap<>();
        added.put("<image>", tokenizer.vocabSize());
        return TokenizerJson.of(tokenizer, added);
    }

    /** The tokenizers library's algorithm, as plain as can be: the pair of the lowest rank is merged, leftmost first. */
    private static int[] encode(JsonNode json, String text) {
        Map<String, Integer> ranks = new HashMap<>();
        json.path("model").path("merges").forEach(merge -> ranks.put(merge.asString(), ranks.size()));
        List<String> symbols = new ArrayList<>();
        ("▁" + text.replace(' ', '▁')).codePoints().forEach(c -> symbols.add(Character.toString(c)));
        while (true) {
            int best = -1;
            int rank = Integer.MAX_VALUE;
            for (int i = 0; i + 1 < symbols.size(); i++) {
                int own = ranks.getOrDefault(symbols.get(i) + " " + symbols.get(i + 1), Integer.MAX_VALUE);
                if (own < rank) {
                    rank = own;
                    best = i;
                }
            }
            if (best < 0) {
                break;
            }
            symbols.set(best, symbols.get(best) + symbols.remove(best + 1));
        }
        JsonNode vocabulary = json.path("model").path("vocab");
        return symbols.stream()
                .flatMap(symbol -> vocabulary.has(symbol) ? List.of(symbol).stream() : bytes(symbol).stream())
                .mapToInt(symbol -> vocabulary.path(symbol).asInt())
                .toArray();
    }

    private static List<String> bytes(String symbol) {
        List<String> pieces = new ArrayList<>();
        for (byte value : symbol.getBytes(StandardCharsets.UTF_8)) {
            pieces.add("<0x%02X>".formatted(value & 0xFF));
        }
        return pieces;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"the cat", "what is that dog on the mat?", "  and  there", "thethethe catcat", "ä 猫\n😀 the", "x"
            })
    void itsMergesGiveTheSameIds(String text) {
        assertThat(encode(json(), text)).isEqualTo(tokenizer.encode(text));
    }

    @Test
    void specialTokensAreTheTokenizersOwnAndTheAddedOnes() {
        JsonNode json = json();
        assertThat(json.path("added_tokens")
                        .valueStream()
                        .map(token -> token.path("content").asString()))
                .containsExactly("<unk>", "<s>", "</s>", "<image>");
        assertThat(json.path("model").path("byte_fallback").asBoolean()).isTrue();
        assertThat(json.path("model").path("vocab").size()).isEqualTo(tokenizer.vocabSize());
    }

    /** The published file of this vocabulary has as many merges, and begins with these. */
    @Test
    void mergesOfLlamasVocabulary() {
        Path llama = Path.of("../../shared/goldens/tokenizer");
        Assumptions.assumeTrue(Files.isDirectory(llama), "no reference data at " + llama);
        JsonNode merges = TokenizerJson.of(SentencePieceTokenizer.load(llama), new LinkedHashMap<>())
                .path("model")
                .path("merges");
        assertThat(merges.size()).isEqualTo(61249);
        assertThat(merges.path(0).asString()).isEqualTo("▁ t");
        assertThat(merges.path(1).asString()).isEqualTo("e r");
    }

    /** All 62 texts and 27 lists of ids of the reference, with tokenizer.json as the only vocabulary in the folder. */
    @Test
    void aloneItGivesTheReferencesIdsAndTexts() throws IOException {
        Path llama = Path.of("../../shared/goldens/tokenizer");
        Assumptions.assumeTrue(Files.isDirectory(llama), "no reference data at " + llama);
        Path alone = Files.createDirectories(folder.resolve("alone"));
        Files.writeString(
                alone.resolve("tokenizer.json"),
                TokenizerJson.of(SentencePieceTokenizer.load(llama), new LinkedHashMap<>())
                        .toString());
        Files.copy(llama.resolve("tokenizer_config.json"), alone.resolve("tokenizer_config.json"));
        SentencePieceTokenizer read = SentencePieceTokenizer.load(alone);
        JsonNode cases = JsonMapper.builder().build().readTree(llama.resolve("tokenizer_cases.json"));

        assertThat(cases.path("encode").size()).isEqualTo(62);
        cases.path("encode").forEach(c -> {
            String text = c.path("text").stringValue();
            int[] ids = ids(c.path("ids"));
            assertThat(read.encodeWithBos(text)).as("ids of '%s'", text).isEqualTo(ids);
            assertThat(read.withLegacy(true).encodeWithBos(text))
                    .as("legacy ids of '%s'", text)
                    .isEqualTo(ids(c.path("ids_legacy_true")));
            assertDecodes(read, ids, c);
        });
        assertThat(cases.path("decode").size()).isEqualTo(27);
        cases.path("decode").forEach(c -> assertDecodes(read, ids(c.path("ids")), c));
    }

    private static void assertDecodes(SentencePieceTokenizer tokenizer, int[] ids, JsonNode wanted) {
        assertThat(tokenizer.decode(ids, true))
                .isEqualTo(wanted.path("decode_skip_special").stringValue());
        assertThat(tokenizer.decode(ids, false))
                .isEqualTo(wanted.path("decode_keep_special").stringValue());
    }

    private static int[] ids(JsonNode array) {
        return array.valueStream().mapToInt(JsonNode::intValue).toArray();
    }

    private static SentencePieceTokenizer load(Path target, ObjectNode json) throws IOException {
        Files.writeString(target.resolve("tokenizer.json"), json.toString());
        return SentencePieceTokenizer.load(target);
    }

    private static ObjectNode step(String json) {
        return (ObjectNode) JsonMapper.builder().build().readTree(json.replace('\'', '"'));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "normalizer|{'type':'Lowercase'}|Lowercase",
                "normalizer|{'type':'Sequence','normalizers':[{'type':'Prepend','prepend':'▁'},{'type':'NFKC'}]}|NFKC",
                "normalizer|{'type':'Prepend','prepend':'_'}|Prepend",
                "normalizer|{'type':'Sequence','normalizers':[]}|no space before a text",
                "pre_tokenizer|{'type':'ByteLevel','add_prefix_space':true}|ByteLevel",
                "pre_tokenizer|{'type':'Metaspace','replacement':'▁','prepend_scheme':'never','split':false}|never",
                "pre_tokenizer|{'type':'Metaspace','replacement':'▁','prepend_scheme':'first','split':true}|split",
                "post_processor|{'single':[{'Sequence':{}},{'SpecialToken':{'id':'</s>'}}]}|post_processor"
            })
    void anotherStepIsRefusedByName(String key, String step, String reason, @TempDir Path target) {
        ObjectNode json = json();
        json.set(key, step(step));
        assertThatThrownBy(() -> load(target, json))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tokenizer.json cannot be used")
                .hasMessageContaining(reason);
    }

    @Test
    void stepsOfTheModelAreRefusedUnlessTheyDoNothing(@TempDir Path target) throws IOException {
        ObjectNode json = json();
        ObjectNode model = (ObjectNode) json.get("model");
        model.put("dropout", 0.0).put("ignore_merges", false).put("end_of_word_suffix", "");
        assertThat(load(target, json).encode("the cat")).isEqualTo(tokenizer.encode("the cat"));
        model.put("ignore_merges", true);
        assertThatThrownBy(() -> load(target, json)).hasMessageContaining("its ignore_merges is true");
        model.put("ignore_merges", false).put("dropout", 0.1);
        assertThatThrownBy(() -> load(target, json)).hasMessageContaining("its dropout is 0.1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"first", "always"})
    void metaspacePutsTheSameSpaces(String scheme, @TempDir Path target) throws IOException {
        ObjectNode json = json();
        json.putNull("normalizer");
        json.set(
                "pre_tokenizer",
                step("{'type':'Metaspace','replacement':'▁','prepend_scheme':'%s','split':false}".formatted(scheme)));
        SentencePieceTokenizer read = load(target, json);
        assertThat(read.legacy()).isEqualTo(scheme.equals("always"));
        assertThat(read.encode("the cat")).isEqualTo(tokenizer.encode("the cat"));
    }

    @Test
    void aVocabularyOfAnotherModelBesideItIsNamed(@TempDir Path target) throws IOException {
        Files.copy(folder.resolve("tokenizer/tokenizer.model"), target.resolve("tokenizer.model"));
        assertThat(load(target, json()).encode("the cat")).isEqualTo(tokenizer.encode("the cat"));
        ObjectNode json = json();
        ObjectNode vocabulary = (ObjectNode) json.get("model").get("vocab");
        String first = tokenizer.piece(290);
        String second = tokenizer.piece(291);
        vocabulary.put(first, 291).put(second, 290);
        assertThatThrownBy(() -> load(target, json))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tokenizer.json: piece 29")
                .hasMessageContaining("but tokenizer.model beside it says")
                .hasMessageContaining(first)
                .hasMessageContaining(second);
    }
}
