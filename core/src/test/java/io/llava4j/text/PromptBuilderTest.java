package io.llava4j.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

class PromptBuilderTest {
    @ParameterizedTest
    @CsvSource({"false,2048", "false,64", "true,2048"})
    void idsAndLabelsEqualTheReference(boolean legacy, int maxLength) {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer().withLegacy(legacy);
        JsonNode cases = TokenizerGoldens.json("conversation_cases.json").path("cases");
        List<String> allMasked = new ArrayList<>();
        for (JsonNode c : cases) {
            String name = c.path("name").stringValue();
            PromptBuilder builder = new PromptBuilder(
                            tokenizer,
                            ConversationTemplate.named(c.path("version").stringValue()))
                    .allowingEmptyAnswers();
            Prompt prompt = builder.training(
                    turns(c.path("conversations")), c.path("has_image").booleanValue() ? 1 : 0, maxLength);
            JsonNode expected = c.path("legacy_%s_max%d".formatted(legacy, maxLength));
            assertThat(prompt.ids()).as("ids of %s", name).isEqualTo(TokenizerGoldens.ids(expected.path("input_ids")));
            if (expected.path("mismatch_warning_all_masked").booleanValue()) {
                allMasked.add(name);
                assertThat(prompt.supervisedCount()).as("labels of %s", name).isPositive();
            } else {
                assertThat(prompt.labels())
                        .as("labels of %s", name)
                        .isEqualTo(TokenizerGoldens.ids(expected.path("labels")));
            }
        }
        assertThat(cases.size()).isEqualTo(27);
        assertThat(allMasked)
                .as("samples the reference masks whole and llava4j labels")
                .containsExactly(
                        "v1_answer_contains_assistant_sep",
                        "v1_answer_contains_eos_literal",
                        "v1_ends_with_human",
                        "v1_unk_literal");
    }

    @Test
    void samplesThatTheReferenceMasksAreLabelledByTheirAnswers() {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        PromptBuilder builder = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        assertThat(supervised(builder, Turn.human("Say it"), Turn.assistant(" USER ASSISTANT: hi")))
                .isEqualTo(" USER ASSISTANT: hi</s>");
        assertThat(supervised(builder, Turn.human("Say eos </s> now"), Turn.assistant("It is </s> ok")))
                .isEqualTo("It is </s> ok</s>");
        assertThat(supervised(builder, Turn.human("Q1"), Turn.assistant("A1"), Turn.human("no answer")))
                .isEqualTo("A1</s>");
        assertThat(supervised(builder, Turn.human("what is <unk>"), Turn.assistant("token <unk> zero")))
                .isEqualTo("token <unk> zero</s>");
    }

    @Test
    void promptsAndChunksAroundImagesEqualTheReference() {
        SentencePieceTokenizer tokenizer = TokenizerGoldens.tokenizer();
        PromptBuilder builder = new PromptBuilder(tokenizer, ConversationTemplate.V1);
        PromptBuilder legacy = new PromptBuilder(tokenizer.withLegacy(true), ConversationTemplate.V1);
        for (JsonNode p : TokenizerGoldens.json("conversation_cases.json").path("prompts")) {
            List<Turn> turns = new ArrayList<>();
            for (JsonNode round : p.path("rounds")) {
                turns.add(Turn.human(round.path(0).stringValue()));
                if (!round.path(1).isNull()) {
                    turns.add(Turn.assistant(round.path(1).stringValue()));
                }
            }
            boolean open = turns.getLast().role() == Role.HUMAN;
            String text = ConversationTemplate.V1.render(turns, open);
            assertThat(text).isEqualTo(p.path("prompt").stringValue());
            assertThat(builder.encode(text)).isEqualTo(TokenizerGoldens.ids(p.path("ids")));
            assertThat(legacy.encode(text)).isEqualTo(TokenizerGoldens.ids(p.path("ids_legacy_true")));
            if (open) {
                assertThat(builder.inference(turns).ids()).isEqualTo(TokenizerGoldens.ids(p.path("ids")));
                assertThat(builder.inference(turns).supervisedCount()).isZero();
            }
        }
        for (JsonNode c : TokenizerGoldens.json("tokenizer_cases.json").path("encode")) {
            String text = c.path("text").stringValue();
            assertThat(builder.encode(text)).isEqualTo(TokenizerGoldens.ids(c.path("tokenizer_image_token")));
            assertThat(legacy.encode(text))
                    .isEqualTo(TokenizerGoldens.ids(c.path("tokenizer_image_token_legacy_true")));
        }
    }

    @Test
    void imagesArePlacedAsTheReferencePlacesThem() {
        for (JsonNode c : TokenizerGoldens.json("conversation_cases.json").path("cases")) {
            List<String> placed = turns(c.path("conversations")).stream()
                    .map(turn -> ImagePlacement.imageFirst(turn.text()))
                    .toList();
            assertThat(placed)
                    .isEqualTo(turns(c.path("after_preprocess_multimodal")).stream()
                            .map(Turn::text)
                            .toList());
        }
        assertThat(ImagePlacement.imageFirst("\u00a0<image> a <image>\u0085")).isEqualTo("<image>\na");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void supervisedTokensSpellTheAnswers(boolean legacy) {
        PromptBuilder builder =
                new PromptBuilder(TokenizerGoldens.tokenizer().withLegacy(legacy), ConversationTemplate.V1);
        Random random = new Random(6);
        for (int i = 0; i < 300; i++) {
            List<Turn> turns = new ArrayList<>();
            StringBuilder expected = new StringBuilder();
            for (int round = 0; round < 1 + random.nextInt(4); round++) {
                turns.add(Turn.human((round == 0 ? "<image>\n" : "") + RandomText.next(random)));
                String answer = "a" + RandomText.next(random);
                turns.add(Turn.assistant(answer));
                expected.append(answer).append("</s>");
            }
            assertThat(supervised(builder, turns.toArray(Turn[]::new))).isEqualTo(expected.toString());
        }
    }

    @Test
    void severalImagesKeepTheirTurns() {
        PromptBuilder builder = new PromptBuilder(TokenizerGoldens.tokenizer(), ConversationTemplate.V1);
        Prompt prompt = builder.inference(
                List.of(Turn.human("<image>\nWhat?"), Turn.assistant("A cat."), Turn.human("And <image> or <image>?")));
        assertThat(prompt.imageCount()).isEqualTo(3);
        assertThat(prompt.ids()[0]).isEqualTo(1);
        assertThat(builder.tokenizer()
                        .decode(
                                Arrays.stream(prompt.ids())
                                        .filter(id -> id >= 0)
                                        .toArray(),
                                true))
                .endsWith("ASSISTANT:");
    }

    /** Only a single image moves to the start of its turn; with several, all stay where they are. */
    @Test
    void severalImagesOfATrainingSampleStayAtTheirPlaceholders() {
        PromptBuilder builder = new PromptBuilder(TokenizerGoldens.tokenizer(), ConversationTemplate.V1);
        List<Turn> turns = List.of(
                Turn.human("Is <image> like <image>?"),
                Turn.assistant("No."),
                Turn.human("And <image>"),
                Turn.assistant("Yes."));
        Prompt training = builder.training(turns, 3, 64);
        assertThat(training.imageCount()).isEqualTo(3);
        assertThat(training.ids()).isEqualTo(builder.encode(ConversationTemplate.V1.render(turns, false)));
    }

    @Test
    void truncatedTokensAreCounted() {
        PromptBuilder builder = new PromptBuilder(TokenizerGoldens.tokenizer(), ConversationTemplate.V1);
        List<Turn> turns = List.of(Turn.human("Q"), Turn.assistant("word ".repeat(100)));
        Prompt whole = builder.training(turns, 0, 2048);
        Prompt truncated = builder.training(turns, 0, 64);
        assertThat(whole.truncatedTokens()).isZero();
        assertThat(truncated.length()).isEqualTo(64);
        assertThat(truncated.truncatedTokens()).isEqualTo(whole.length() - 64);
        assertThat(truncated.labels()).isEqualTo(Arrays.copyOf(whole.labels(), 64));
        assertThat(truncated.truncated(48).truncatedTokens()).isEqualTo(whole.length() - 48);
    }

    @Test
    void conversationsWithoutSupervisionAreRefused() {
        PromptBuilder v1 = new PromptBuilder(TokenizerGoldens.tokenizer(), ConversationTemplate.V1);
        PromptBuilder plain = new PromptBuilder(TokenizerGoldens.tokenizer(), ConversationTemplate.PLAIN);
        assertRefused("empty answer", () -> v1.training(List.of(Turn.human("Q"), Turn.assistant("")), 0, 64));
        assertRefused("alternate", () -> v1.training(List.of(Turn.human("Q"), Turn.human("Q")), 0, 64));
        assertRefused("no question", () -> v1.training(List.of(Turn.assistant("A")), 0, 64));
        assertRefused("no answer", () -> v1.training(List.of(Turn.human("Q")), 0, 64));
        assertRefused("ends with an answer", () -> v1.inference(List.of(Turn.human("Q"), Turn.assistant("A"))));
        assertRefused("no image", () -> plain.training(List.of(Turn.human("Q"), Turn.assistant("A")), 1, 64));
        assertThatThrownBy(() -> ConversationTemplate.named("v9"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("vicuna_v1");
    }

    private static void assertRefused(String part, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(DataException.class).hasMessageContaining(part);
    }

    /** The text of the supervised tokens; every answer is followed by its end. */
    private static String supervised(PromptBuilder builder, Turn... turns) {
        Prompt prompt = builder.training(List.of(turns), turns[0].text().contains("<image>") ? 1 : 0, 4096);
        assertThat(IntStream.range(0, prompt.length())
                        .allMatch(i ->
                                prompt.labels()[i] == Prompt.IGNORE_INDEX || prompt.labels()[i] == prompt.ids()[i]))
                .isTrue();
        StringBuilder text = new StringBuilder();
        int[] labels = prompt.labels();
        for (int begin = 0; begin < labels.length; begin++) {
            int end = begin;
            while (end < labels.length && labels[end] != Prompt.IGNORE_INDEX) {
                end++;
            }
            if (end > begin) {
                text.append(builder.tokenizer().decode(Arrays.copyOfRange(labels, begin, end), false));
                begin = end;
            }
        }
        return text.toString();
    }

    private static List<Turn> turns(JsonNode conversation) {
        return conversation
                .valueStream()
                .map(turn -> new Turn(
                        turn.path("from").stringValue().equals("human") ? Role.HUMAN : Role.ASSISTANT,
                        turn.path("value").stringValue()))
                .toList();
    }
}
