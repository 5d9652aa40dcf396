package io.llava4j.generate.constrain;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.text.SentencePieceTokenizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class JsonConstraintTest {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    private static final SentencePieceTokenizer NANO = SentencePieceTokenizer.load(Path.of("../models/nano-tokenizer"));
    private static final TokenTrie NANO_TOKENS = TokenTrie.of(NANO, Set.of(NANO.eosId()));
    private static final Path LLAMA = Path.of("../../shared/realdata/tokenizer-llama2");

    static LongStream seeds() {
        return LongStream.range(0, 100);
    }

    /** Loaded once for all tests. */
    private static final class Llama {
        static final SentencePieceTokenizer TOKENIZER = SentencePieceTokenizer.load(LLAMA);
        static final TokenTrie TOKENS = TokenTrie.of(TOKENIZER, Set.of(TOKENIZER.eosId()));
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyFittingDocumentIsAccepted(long seed) {
        accepted(NANO, NANO_TOKENS, seed);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void everyFittingDocumentIsAcceptedWithTheVocabularyOfLlama(long seed) {
        assumeTrue(Files.exists(LLAMA), "the LLaMA tokenizer is not here");
        accepted(Llama.TOKENIZER, Llama.TOKENS, seed);
    }

    private static void accepted(SentencePieceTokenizer tokenizer, TokenTrie tokens, long seed) {
        RandomSchemas random = new RandomSchemas(seed);
        JsonNode schema = random.schema();
        SchemaValidator validator = new SchemaValidator(schema);
        JsonConstraint constraint = JsonConstraint.schema(schema);
        for (int i = 0; i < 4; i++) {
            JsonNode document = random.document(validator);
            if (document != null) {
                String text = random.spell(document);
                assertThat(SchemaValidator.same(JSON.readTree(text), document)).isTrue();
                for (int[] ids : tokenisations(tokenizer, tokens, text, new Random(seed))) {
                    assertThat(answer(constraint, tokenizer, tokens, ids))
                            .as("%s%n%s", schema, text)
                            .isEqualTo(text.strip());
                }
            }
        }
    }

    /** The tokenizer's own, one in bytes, and some at random. */
    private static List<int[]> tokenisations(
            SentencePieceTokenizer tokenizer, TokenTrie tokens, String text, Random random) {
        List<int[]> all = new ArrayList<>(List.of(tokenizer.encodeOrdinary(text)));
        byte[] bytes = text.getBytes(UTF_8);
        Map<String, List<Integer>> idsOf = new HashMap<>();
        for (int id = 0; id < tokens.idCount(); id++) {
            byte[] token = tokens.bytes(id);
            if (token != null) {
                idsOf.computeIfAbsent(new String(token, ISO_8859_1), key -> new ArrayList<>())
                        .add(id);
            }
        }
        for (int longest : new int[] {1, 3, 30}) {
            List<Integer> ids = new ArrayList<>();
            for (int at = 0; at < bytes.length; ) {
                List<Integer> fitting = new ArrayList<>();
                for (int end = at + 1; end <= Math.min(at + longest, bytes.length); end++) {
                    fitting.addAll(idsOf.getOrDefault(new String(bytes, at, end - at, ISO_8859_1), List.of()));
                }
                int id = fitting.get(random.nextInt(fitting.size()));
                ids.add(id);
                at += Objects.requireNonNull(tokens.bytes(id)).length;
            }
            all.add(ids.stream().mapToInt(Integer::intValue).toArray());
        }
        return all;
    }

    /** The text of tokens that the constraint has to allow, each when its turn comes, and then the end. */
    private static String answer(
            JsonConstraint constraint, SentencePieceTokenizer tokenizer, TokenTrie tokens, int[] ids) {
        TokenConstraint answer = constraint.start(tokens);
        for (int i = 0; i <= ids.length; i++) {
            int id = i < ids.length ? ids[i] : tokenizer.eosId();
            float[] logits = new float[tokenizer.idCount()];
            answer.mask(logits);
            assertThat(logits[id]).as("token %d '%s'", i, tokenizer.piece(id)).isZero();
            answer.accept(id);
        }
        return tokenizer.decode(ids, true).strip();
    }

    /** Random logits, which later prefer to close what is open. */
    private static String decode(
            JsonConstraint constraint, SentencePieceTokenizer tokenizer, TokenTrie tokens, Random random) {
        JsonAnswer answer = (JsonAnswer) constraint.start(tokens);
        List<Integer> ids = new ArrayList<>();
        for (int step = 0; step < 400; step++) {
            float[] logits = new float[tokenizer.idCount() + 3];
            for (int id = 0; id < logits.length; id++) {
                logits[id] = random.nextFloat() + closing(tokens, tokenizer, id) * Math.max(0, step - 20) / 50f;
            }
            answer.mask(logits);
            int best = 0;
            for (int id = 1; id < logits.length; id++) {
                best = logits[id] > logits[best] ? id : best;
            }
            assertThat(logits[best]).as("a token may follow %s", ids).isFinite();
            answer.accept(best);
            if (best == tokenizer.eosId()) {
                return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray(), true);
            }
            ids.add(best);
        }
        return "";
    }

    private static int closing(TokenTrie tokens, SentencePieceTokenizer tokenizer, int id) {
        byte[] bytes = tokens.bytes(id);
        if (id == tokenizer.eosId()) {
            return 4;
        }
        return bytes == null || bytes.length > 1 ? 0 : Math.max(0, "\"]}".indexOf(bytes[0]) + 1);
    }

    @Test
    void whateverTheModelSaysTheAnswerFits() {
        int complete = 0;
        for (long seed = 0; seed < 200; seed++) {
            JsonNode schema = new RandomSchemas(seed).schema();
            JsonConstraint constraint = JsonConstraint.schema(schema);
            String text = decode(constraint, NANO, NANO_TOKENS, new Random(seed));
            if (!text.isEmpty()) {
                complete++;
                JsonNode document = JSON.readTree(text);
                assertThat(new SchemaValidator(schema).fits(document))
                        .as("%s%n%s", schema, text)
                        .isTrue();
            }
        }
        assertThat(complete).isGreaterThan(130);
    }

    @Test
    void whateverLlamaSaysTheAnswerFits() {
        assumeTrue(Files.exists(LLAMA), "the LLaMA tokenizer is not here");
        for (long seed = 0; seed < 20; seed++) {
            JsonNode schema = new RandomSchemas(seed).schema();
            String text = decode(JsonConstraint.schema(schema), Llama.TOKENIZER, Llama.TOKENS, new Random(seed));
            if (!text.isEmpty()) {
                assertThat(new SchemaValidator(schema).fits(JSON.readTree(text)))
                        .as("%s%n%s", schema, text)
                        .isTrue();
            }
        }
    }

    /** The walk through the prefix tree allows the same tokens as one attempt for each. */
    @Test
    void everyMaskIsThatOfItsTokensOneByOne() {
        for (long seed = 0; seed < 60; seed++) {
            Random random = new Random(seed);
            JsonConstraint constraint = seed % 10 == 0
                    ? JsonConstraint.anyObject()
                    : JsonConstraint.schema(new RandomSchemas(seed).schema());
            JsonAnswer answer = (JsonAnswer) constraint.start(NANO_TOKENS);
            for (int step = 0; step < 40; step++) {
                float[] logits = new float[NANO.idCount()];
                answer.mask(logits);
                List<Integer> allowed = new ArrayList<>();
                for (int id = 0; id < logits.length; id++) {
                    boolean isAllowed = id == NANO.eosId()
                            ? answer.isComplete()
                            : !answer.after(id).isEmpty();
                    assertThat(logits[id] == 0).as("token %d", id).isEqualTo(isAllowed);
                    if (isAllowed && id != NANO.eosId()) {
                        allowed.add(id);
                    }
                }
                if (allowed.isEmpty()) {
                    break;
                }
                answer.accept(allowed.get(random.nextInt(allowed.size())));
            }
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{} | {\"a\":1,\"b\":[true,false,null]}",
                "{} | `  {\n\n    \"a\" :\t1\r\n}\n`",
                "{} | -0.5e+10",
                "{} | \"\\ud83d\\ude00 \\u00e9 \\/\"",
                "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"null\"}}} | {\"\\u0061\":null}",
                "{\"type\":\"integer\"} | 9223372036854775807",
                "{\"type\":\"integer\",\"minimum\":-10,\"maximum\":125} | 99",
                "{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":1} | 0.001",
                "{\"const\":1.50} | 1.5",
                "{\"enum\":[{\"b\":[1,\"x\"],\"a\":null}]} | {\"a\":null,\"b\":[1,\"x\"]}",
                "{\"enum\":[\"a\",1,null],\"type\":[\"string\",\"null\"]} | null",
                "{\"type\":\"string\",\"maxLength\":2} | \"\\ud83d\\ude001\"",
                "{\"$ref\":\"#/$defs/a%20~1b\",\"$defs\":{\"a /b\":{\"const\":true}}} | true",
                "{\"allOf\":[{\"type\":\"null\"}],\"description\":\"d\"} | null",
                "{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"a\"}},\"required\":[\"k\"]},{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"b\"}},\"required\":[\"k\"]}]} | {\"k\":\"b\"}",
                "{\"properties\":{\"a\":false}} | \"anything but an object\"",
            })
    void whatFitsInOneOfManySpellingsIsAccepted(String schema, String text) {
        assertThat(fits(schema, text)).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"type\":\"string\",\"maxLength\":2} | \"\\ud83d\\ude0012\"",
                "{\"type\":\"string\",\"minLength\":2} | \"😀\"",
                "{} | {\"a\":1,\"a\":2}",
                "{} | {\"a\":1,\"\\u0061\":2}",
                "{} | 01",
                "{} | 1.",
                "{} | +1",
                "{} | 1e999",
                "{} | \"\\ud83d\"",
                "{} | \"\\ude00\\ud83d\"",
                "{} | `\"a\tb\"`",
                "{} | [1,]",
                "{} | 'a'",
                "{} | {\"a\":1}x",
                "{\"type\":\"integer\"} | 1.0",
                "{\"type\":\"integer\"} | 9223372036854775808",
                "{\"type\":\"integer\",\"maximum\":125} | 126",
                "{\"type\":\"integer\",\"exclusiveMinimum\":5} | 5",
                "{\"type\":\"number\",\"minimum\":0.25} | 0.2",
                "{\"enum\":[\"a\",1],\"type\":\"string\"} | 1",
                "{\"prefixItems\":[{\"type\":\"null\"}],\"items\":false} | [null,1]",
                "{\"properties\":{\"a\":false}} | {\"a\":1}",
            })
    void whatNoReaderOrSchemaTakesIsNot(String schema, String text) {
        assertThat(fits(schema, text)).isFalse();
    }

    private static boolean fits(String schema, String text) {
        JsonConstraint constraint = JsonConstraint.schema(JSON.readTree(schema));
        JsonAnswer answer = (JsonAnswer) constraint.start(NANO_TOKENS);
        for (int id : NANO.encodeOrdinary(text)) {
            if (answer.after(id).isEmpty()) {
                return false;
            }
            answer.accept(id);
        }
        return answer.isComplete();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{\"type\":\"string\",\"pattern\":\"a\"} | at # uses 'pattern'",
                "{\"properties\":{\"a/b\":{\"format\":\"date\"}}} | at #/properties/a~1b uses 'format'",
                "{\"items\":{\"not\":{}}} | at #/items uses 'not'",
                "{\"multipleOf\":2} | uses 'multipleOf'",
                "{\"uniqueItems\":true} | uses 'uniqueItems'",
                "{\"colour\":1} | uses 'colour'",
                "{\"anyOf\":[{}],\"type\":\"null\"} | uses 'type' beside 'anyOf'",
                "{\"enum\":[1],\"items\":{}} | uses 'items' beside 'enum'",
                "{\"allOf\":[{},{}]} | uses 'allOf' with several schemas",
                "{\"oneOf\":[{\"type\":\"number\"},{\"type\":\"integer\"}]} | alternatives 0 and 1",
                "{\"type\":\"text\"} | has the unknown type 'text'",
                "{\"type\":3} | has 'type' that is no array",
                "{\"minLength\":-1} | has 'minLength' -1",
                "{\"maxItems\":1.5} | has 'maxItems' 1.5",
                "{\"maximum\":\"3\"} | has 'maximum' \"3\"",
                "{\"required\":[1]} | has 'required' with 1",
                "{\"properties\":[]} | has 'properties' that is no object",
                "{\"items\":7} | at #/items is NUMBER",
                "{\"$ref\":\"other.json\"} | refers to 'other.json'",
                "{\"$ref\":\"#/$defs/x\"} | refers to '#/$defs/x', which does not exist",
                "{\"$ref\":\"#\"} | fits no document",
                "false | fits no document",
                "{\"enum\":[]} | fits no document",
                "{\"type\":\"integer\",\"minimum\":3,\"exclusiveMaximum\":3} | fits no document",
                "{\"type\":\"array\",\"minItems\":2,\"maxItems\":1} | fits no document",
                "{\"type\":\"object\",\"required\":[\"a\"],\"additionalProperties\":false} | fits no document",
                "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#\"}}} | fits no document",
                "{\"const\":\"\\ud83d\"} | at #/const holds half a surrogate pair",
                "[] | at # is ARRAY",
            })
    void whatCannotBeHonouredIsRefusedByName(String schema, String message) {
        assertThatThrownBy(() -> JsonConstraint.schema(JSON.readTree(schema)))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(message);
    }

    /** A model that always wants more whitespace, digits or brackets comes to an end of them. */
    @ParameterizedTest
    @ValueSource(strings = {" ", "\n", "[", "1"})
    void noModelGoesOnForEverWithTheSame(String text) {
        JsonAnswer answer =
                (JsonAnswer) JsonConstraint.schema(JSON.readTree("{}")).start(NANO_TOKENS);
        int id = NANO.encodeOrdinary("x" + text)[NANO.encodeOrdinary("x" + text).length - 1];
        int count = 0;
        while (!answer.after(id).isEmpty()) {
            answer.accept(id);
            count++;
        }
        assertThat(count).isBetween(2, 40);
    }

    @Test
    void whenNothingMayFollowOnlyTheEndIsAllowed() {
        JsonAnswer answer = (JsonAnswer)
                JsonConstraint.schema(JSON.readTree("{\"const\":null}")).start(NANO_TOKENS);
        for (int id : NANO.encodeOrdinary("null" + "\n".repeat(2) + " ".repeat(16))) {
            answer.accept(id);
        }
        float[] logits = new float[NANO.idCount()];
        answer.mask(logits);
        for (int id = 0; id < logits.length; id++) {
            assertThat(logits[id] == 0).isEqualTo(id == NANO.eosId());
        }
    }

    @Test
    void tokensThatDoNotFitAreNotAccepted() {
        TokenConstraint answer = JsonConstraint.anyObject().start(NANO_TOKENS);
        int number = NANO.encodeOrdinary("7")[NANO.encodeOrdinary("7").length - 1];
        for (int id : new int[] {number, NANO.eosId(), NANO.bosId(), 1 << 20, -1}) {
            assertThatThrownBy(() -> answer.accept(id)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** Alternatives that differ only far inside would have to be read side by side, each with all the others. */
    @Test
    void tooManyAlternativesAtOnceAreRefused() {
        StringBuilder alternatives = new StringBuilder();
        for (int i = 1; i <= 40; i++) {
            alternatives
                    .append(i > 1 ? "," : "")
                    .append("{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"maxItems\":")
                    .append(i)
                    .append('}');
        }
        TokenConstraint answer = JsonConstraint.schema(JSON.readTree("{\"anyOf\":[" + alternatives + "]}"))
                .start(NANO_TOKENS);
        int bracket = NANO.encodeOrdinary("x[")[NANO.encodeOrdinary("x[").length - 1];
        assertThatThrownBy(() -> {
                    for (int i = 0; i < 10; i++) {
                        answer.mask(new float[NANO.idCount()]);
                        answer.accept(bracket);
                    }
                })
                .isInstanceOf(DataException.class)
                .hasMessageContaining("alternatives begin differently");
    }
}
