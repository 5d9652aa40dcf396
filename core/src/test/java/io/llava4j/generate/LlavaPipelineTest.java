package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.generate.constrain.JsonConstraint;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.image.AspectMode;
import io.llava4j.image.RgbImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.PromptBuilder;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import io.llava4j.text.VocabularyTrainer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A whole pipeline on a tiny random model. */
class LlavaPipelineTest {
    private static final List<Turn> QUESTION = List.of(Turn.human("<image>\nWhat is on the mat?"));
    private static final int LIMIT = 600;

    @TempDir
    private static Path folder;

    private static SentencePieceTokenizer tokenizer;

    @BeforeAll
    static void trainTokenizer() {
        tokenizer = VocabularyTrainer.train(
                List.of("the cat is on the mat and the dog is not", "what is the cat on?")
                        .iterator(),
                VocabularyTrainer.MIN_SIZE + 5,
                folder);
    }

    /** An image becomes 4 tokens; what is too long is reported with its length, which depends on the template. */
    @ParameterizedTest
    @ValueSource(strings = {"v1", "llava_llama_2", "mpt"})
    void theTemplateIsTheModelsUnlessSettingsNameOne(String name) {
        ConversationTemplate template = ConversationTemplate.named(name);
        List<Turn> endless = List.of(Turn.human("<image>\n" + "What is on the mat? ".repeat(60)));
        int length = new PromptBuilder(tokenizer, template).inference(endless).length() + TinyModels.PATCHES - 1;
        ChatRequest request = new ChatRequest(endless, List.of(image(1)));
        String message = "the prompt has " + length + " tokens, image tokens included, but the model reads " + LIMIT;
        try (LlavaPipeline own = new LlavaPipeline(model(config().withConversationTemplate(template)), tokenizer);
                LlavaPipeline named =
                        new LlavaPipeline(model(config()), tokenizer, new LlavaPipeline.Settings(template, true))) {
            for (LlavaPipeline pipeline : List.of(own, named)) {
                assertThatThrownBy(() -> pipeline.answer(List.of(request), GenerationOptions.greedy(1)))
                        .isInstanceOf(DataException.class)
                        .hasMessageStartingWith(message);
            }
        }
    }

    @Test
    void streamsTheAnswerThatABatchGives() {
        try (LlavaPipeline pipeline = new LlavaPipeline(model(config()), tokenizer)) {
            GenerationOptions options = GenerationOptions.greedy(12);
            ChatRequest first = new ChatRequest(QUESTION, List.of(image(1)));
            ChatRequest second = new ChatRequest(List.of(Turn.human("What is the cat on?")), List.of());
            List<String> answers = pipeline.answer(List.of(first, second), options);
            StringBuilder text = new StringBuilder();
            ChatResponse response =
                    pipeline.stream(first, options, part -> !text.append(part).isEmpty());
            assertThat(response.text())
                    .isEqualTo(answers.getFirst())
                    .isEqualTo(text.toString().strip());
            assertThat(response.tokens()).isBetween(1, 12);
            assertThat(pipeline.stream(second, options, part -> true).text()).isEqualTo(answers.get(1));
        }
    }

    /** The reason is the one that the streamed answer has, whatever limit ends it. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 2000})
    void anAnswerOfABatchSaysWhyItEnded(int longest) {
        try (LlavaPipeline pipeline = new LlavaPipeline(model(config()), tokenizer)) {
            ChatRequest request = new ChatRequest(QUESTION, List.of(image(1)));
            ChatResponse alone = pipeline.stream(request, GenerationOptions.greedy(longest), part -> true);
            assertThat(pipeline.finishedAnswers(List.of(request, request), GenerationOptions.greedy(longest)))
                    .hasSize(2)
                    .allSatisfy(answer -> {
                        assertThat(answer.text()).isEqualTo(alone.text());
                        assertThat(answer.finish()).isEqualTo(alone.finish());
                    });
        }
    }

    @Test
    void aRequestLongerThanThePositionsIsRefusedWithoutBeingAnswered() {
        LlavaConfig config = config();
        LlavaConfig few =
                new LlavaConfig(config.vision(), config.text(), "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0);
        try (LlavaPipeline pipeline = new LlavaPipeline(model(few), tokenizer)) {
            ChatRequest request = new ChatRequest(List.of(Turn.human("a mat? ".repeat(900))), List.of());
            assertThatThrownBy(() -> pipeline.check(request))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("but the model reads 2047;");
            pipeline.check(new ChatRequest(QUESTION, List.of(image(1))));
        }
    }

    @Test
    void constrainedAnswersFitBesideFreeOnes() {
        JsonMapper json = JsonMapper.builder().build();
        JsonConstraint constraint = JsonConstraint.schema(
                json.readTree("{\"type\":\"array\",\"maxItems\":3,\"items\":{\"enum\":[\"cat\",7]}}"));
        ChatRequest request = new ChatRequest(QUESTION, List.of(image(1)));
        GenerationOptions options = new GenerationOptions(200, 5, 1, 0, 1, 3);
        try (LlavaPipeline pipeline = new LlavaPipeline(model(config()), tokenizer)) {
            String free = pipeline.stream(request, options, text -> true).text();
            List<RunningAnswer> running = List.of(
                    pipeline.start(request, new AnswerOptions(options, constraint, -1)),
                    pipeline.start(request, AnswerOptions.of(options)),
                    pipeline.start(request, new AnswerOptions(options.withSeed(9), constraint, -1)));
            for (RunningAnswer answer : running) {
                while (answer.next() != null) {}
            }
            assertThat(running.get(1).response().text()).isEqualTo(free);
            for (int i : new int[] {0, 2}) {
                assertThat(running.get(i).response().finish()).isEqualTo(FinishReason.STOP);
                JsonNode document = json.readTree(running.get(i).response().text());
                assertThat(document.isArray()).isTrue();
                assertThat(document.size()).isLessThanOrEqualTo(3);
                assertThat(document.values())
                        .allMatch(element -> element.asString().matches("cat|7"));
            }
        }
    }

    @Test
    void everyRequestNeedsOneImageForEachPlaceholder() {
        try (LlavaPipeline pipeline = new LlavaPipeline(model(config()), tokenizer)) {
            List<ChatRequest> tooManyAndTooFew = List.of(
                    new ChatRequest(List.of(Turn.human("What is the cat on?")), List.of(image(1))),
                    new ChatRequest(QUESTION, List.of()));
            assertThatThrownBy(() -> pipeline.answer(tooManyAndTooFew, GenerationOptions.greedy(1)))
                    .isInstanceOf(DataException.class)
                    .hasMessage("a request has 0 <image> placeholders for 1 images; write one <image> for each");
        }
    }

    private static LlavaModel model(LlavaConfig config) {
        return TinyModels.of(config);
    }

    private static LlavaConfig config() {
        TextConfig text = new TextConfig(
                16,
                24,
                2,
                4,
                2,
                tokenizer.vocabSize(),
                2048,
                1e-5,
                10000,
                false,
                tokenizer.bosId(),
                tokenizer.eosId(),
                0);
        return new LlavaConfig(
                TinyModels.config(0, List.of()).vision(), text, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, LIMIT);
    }

    private static RgbImage image(int shade) {
        byte[] pixels = new byte[3 * TinyModels.EDGE * TinyModels.EDGE];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 7 * shade);
        }
        return new RgbImage(TinyModels.EDGE, TinyModels.EDGE, pixels);
    }
}
