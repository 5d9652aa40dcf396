package io.llava4j.app.verify;

import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.BiPredicate;
import java.util.function.Consumer;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tokenizer, prompts and labels against {@code tokenizer_cases.json} and {@code conversation_cases.json} beside a
 * {@code tokenizer.model}; every comparison is exact. Tokenizer cases give one result per kind of comparison, whose detail
 * names the first case that differs.
 */
public final class TokenizerSuite implements Suite {
    static final String NAME = "tokenizer";

    private static final String TOKENIZER_CASES = "tokenizer_cases.json";
    private static final String CONVERSATION_CASES = "conversation_cases.json";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean accepts(Path dir) {
        return Files.isRegularFile(dir.resolve(SentencePieceTokenizer.MODEL_FILE))
                && (Files.isRegularFile(dir.resolve(TOKENIZER_CASES))
                        || Files.isRegularFile(dir.resolve(CONVERSATION_CASES)));
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        SentencePieceTokenizer tokenizer = SentencePieceTokenizer.load(dir).withLegacy(false);
        JsonMapper json = JsonMapper.builder().build();
        if (Files.isRegularFile(dir.resolve(TOKENIZER_CASES))) {
            tokenizerCases(json.readTree(dir.resolve(TOKENIZER_CASES)), tokenizer, out);
        }
        if (Files.isRegularFile(dir.resolve(CONVERSATION_CASES))) {
            new ConversationCases(tokenizer, out).run(json.readTree(dir.resolve(CONVERSATION_CASES)));
        }
    }

    private static void tokenizerCases(JsonNode root, SentencePieceTokenizer tokenizer, Consumer<CaseResult> out) {
        SentencePieceTokenizer legacy = tokenizer.withLegacy(true);
        // The template plays no part in splitting a ready text at its images.
        PromptBuilder chunks = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        PromptBuilder legacyChunks = new PromptBuilder(legacy, ConversationTemplate.V1);

        integer(root, "vocab_size", tokenizer.vocabSize(), out);
        integer(root, "bos", tokenizer.bosId(), out);
        integer(root, "eos", tokenizer.eosId(), out);
        integer(root, "unk", tokenizer.unkId(), out);
        integer(root, "pad", tokenizer.padId(), out);

        Group encode = new Group("encode", root.path("encode"), "text", out);
        encode.ids("ids", text -> tokenizer.encodeWithBos(text.stringValue()));
        encode.ids("ids_legacy_true", text -> legacy.encodeWithBos(text.stringValue()));
        encode.ids("ids_sentencepiece_plain", text -> tokenizer.encodeOrdinary(text.stringValue()));
        encode.ids("tokenizer_image_token", text -> chunks.encode(text.stringValue()));
        encode.ids("tokenizer_image_token_legacy_true", text -> legacyChunks.encode(text.stringValue()));
        encode.compare(
                "pieces",
                (text, pieces) -> Arrays.stream(tokenizer.encodeWithBos(text.stringValue()))
                        .mapToObj(tokenizer::piece)
                        .toList()
                        .equals(pieces.valueStream().map(JsonNode::stringValue).toList()));
        encode.compare(
                "decode_skip_special",
                (text, expected) -> tokenizer
                        .decode(tokenizer.encodeWithBos(text.stringValue()), true)
                        .equals(expected.stringValue()));
        encode.compare(
                "decode_keep_special",
                (text, expected) -> tokenizer
                        .decode(tokenizer.encodeWithBos(text.stringValue()), false)
                        .equals(expected.stringValue()));

        Group decode = new Group("decode", root.path("decode"), "ids", out);
        decode.compare(
                "decode_skip_special",
                (ids, expected) ->
                        tokenizer.decode(ReferenceJson.ints(ids), true).equals(expected.stringValue()));
        decode.compare(
                "decode_keep_special",
                (ids, expected) ->
                        tokenizer.decode(ReferenceJson.ints(ids), false).equals(expected.stringValue()));
    }

    private static void integer(JsonNode root, String key, int actual, Consumer<CaseResult> out) {
        JsonNode expected = root.path(key);
        if (expected.isInt()) {
            out.accept(CaseResult.exact(
                    NAME, key, expected.intValue() == actual, "expected %s, got %d".formatted(expected, actual)));
        }
    }

    /** Cases of one list, compared field by field: one result per field. */
    private record Group(String name, JsonNode cases, String inputKey, Consumer<CaseResult> out) {
        void ids(String key, Function<JsonNode, int[]> actual) {
            compare(key, (input, expected) -> Arrays.equals(actual.apply(input), ReferenceJson.ints(expected)));
        }

        /** Compares {@code key} in every case that has it. */
        void compare(String key, BiPredicate<JsonNode, JsonNode> equal) {
            int compared = 0;
            int different = 0;
            String first = "";
            for (JsonNode c : cases) {
                if (!c.has(key)) {
                    continue;
                }
                compared++;
                if (!equal.test(c.path(inputKey), c.path(key))) {
                    first = different++ == 0 ? c.path(inputKey).toString() : first;
                }
            }
            if (compared > 0) {
                out.accept(CaseResult.exact(
                        NAME,
                        "%s: %s (%d texts)".formatted(name, key, compared),
                        different == 0,
                        "%d differ, the first is %s".formatted(different, first)));
            }
        }
    }
}
