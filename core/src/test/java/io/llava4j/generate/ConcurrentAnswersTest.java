package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.generate.constrain.JsonConstraint;
import io.llava4j.generate.schedule.ChosenToken;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Scheduler;
import io.llava4j.image.AspectMode;
import io.llava4j.image.RgbImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.cpu.CpuModels;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.text.Turn;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.json.JsonMapper;

/** Many threads ask one pipeline for whatever it offers; each gets, to the last bit, what a fresh pipeline answers it alone. */
class ConcurrentAnswersTest {
    private static final SentencePieceTokenizer TOKENIZER =
            SentencePieceTokenizer.load(Path.of("../models/nano-tokenizer"));
    private static final List<JsonConstraint> CONSTRAINTS = List.of(
            JsonConstraint.anyObject(),
            JsonConstraint.schema(JsonMapper.shared().readTree("""
                    {"type": "object", "properties": {"thing": {"enum": ["cat", "dog", "moon"]},
                     "count": {"type": "integer", "minimum": 1, "maximum": 20}}, "required": ["thing", "count"]}""")));
    private static final int THREADS = 8;
    private static final int EACH = 8;

    private record Asked(ChatRequest request, AnswerOptions options) {}

    private record Given(List<ChosenToken> tokens, String text, FinishReason finish) {}

    @ParameterizedTest
    @CsvSource({"1, 5, 0, 0", "2, 8, 50000, 4", "3, 3, 100000000, 0", "4, 16, 100000000, 10"})
    void everyAnswerIsThatOfTheRequestAlone(long seed, int parallel, long cacheBytes, int promptLookup)
            throws ExecutionException, InterruptedException {
        SplittableRandom random = new SplittableRandom(seed);
        List<Asked> asked = IntStream.range(0, 20).mapToObj(i -> asked(random)).toList();
        List<Given> alone =
                asked.stream().map(ConcurrentAnswersTest::askedAlone).toList();
        Scheduler.Limits limits = new Scheduler.Limits(parallel, 1000, 0, cacheBytes, Duration.ZERO);
        long pages = CpuModels.openPages();
        try (LlavaPipeline pipeline = new LlavaPipeline(
                        model(), TOKENIZER, new LlavaPipeline.Settings(null, true, limits, promptLookup));
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Void>> results = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                SplittableRandom own = random.split();
                Callable<Void> caller = () -> ask(pipeline, asked, alone, own);
                results.add(threads.submit(caller));
            }
            for (Future<Void> result : results) {
                result.get();
            }
            assertThat(pipeline.stats().running()).isZero();
            assertThat(pipeline.stats().finished()).isEqualTo(THREADS * EACH);
        }
        assertThat(CpuModels.openPages()).isEqualTo(pages);
    }

    /** The next turn about an image prefills only its text: whatever was read before, image included, comes from the cache. */
    @Test
    void theNextQuestionAboutAnImageReadsItsTextOnly() {
        try (LlavaPipeline chat = new LlavaPipeline(model(), TOKENIZER)) {
            List<Turn> turns = new ArrayList<>(List.of(Turn.human("<image>\nWhat is it?")));
            ChatResponse first =
                    chat.stream(new ChatRequest(turns, List.of(image(1))), GenerationOptions.greedy(12), text -> true);
            assertThat(first.usage().cachedTokens()).isZero();
            assertThat(first.usage().imageTokens()).isEqualTo(TinyModels.PATCHES);
            turns.add(Turn.assistant("A moon."));
            turns.add(Turn.human("What color is the moon?"));
            ChatRequest next = new ChatRequest(turns, List.of(image(1)));
            ChatResponse second = chat.stream(next, GenerationOptions.greedy(12), text -> true);
            assertThat(second.usage().cachedTokens())
                    .isGreaterThanOrEqualTo(first.usage().promptTokens() - 1);
            assertThat(chat.stats().encodedImages()).isEqualTo(1);
            ChatRequest other = new ChatRequest(List.of(Turn.human("<image>\nWhere is it?")), List.of(image(1)));
            ChatResponse third = chat.stream(other, GenerationOptions.greedy(12), text -> true);
            assertThat(third.usage().promptTokens() - third.usage().cachedTokens())
                    .isLessThanOrEqualTo(TOKENIZER.encode("Where is it? ASSISTANT:").length + 2);
            assertThat(chat.stats().encodedImages()).isEqualTo(1);
            AnswerOptions options = AnswerOptions.of(GenerationOptions.greedy(12));
            assertThat(second.text())
                    .isEqualTo(askedAlone(new Asked(next, options)).text());
            assertThat(third.text())
                    .isEqualTo(askedAlone(new Asked(other, options)).text());
        }
    }

    private static Void ask(LlavaPipeline pipeline, List<Asked> asked, List<Given> alone, SplittableRandom random)
            throws InterruptedException {
        for (int i = 0; i < EACH; i++) {
            int which = random.nextInt(asked.size());
            int leavesAfter = random.nextInt(4) == 0 ? 1 + random.nextInt(6) : Integer.MAX_VALUE;
            Thread.sleep(random.nextInt(20));
            Given given = answer(pipeline, asked.get(which), leavesAfter);
            Given wanted = alone.get(which);
            if (given.finish() == FinishReason.CANCELLED) {
                assertThat(given.tokens())
                        .isEqualTo(wanted.tokens().subList(0, given.tokens().size()));
                assertThat(wanted.text()).startsWith(given.text());
            } else {
                assertThat(given).isEqualTo(wanted);
            }
            ChatRequest endless = new ChatRequest(List.of(Turn.human("moon ".repeat(3000))), List.of());
            assertThatThrownBy(() -> pipeline.start(endless, asked.get(which).options()))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("tokens, image tokens included, but the model reads");
        }
        return null;
    }

    private static Given askedAlone(Asked asked) {
        Scheduler.Limits limits = new Scheduler.Limits(1, 1, 0, 0, Duration.ZERO);
        try (LlavaPipeline fresh =
                new LlavaPipeline(model(), TOKENIZER, new LlavaPipeline.Settings(null, false, limits))) {
            return answer(fresh, asked, Integer.MAX_VALUE);
        }
    }

    private static Given answer(LlavaPipeline pipeline, Asked asked, int leavesAfter) {
        List<ChosenToken> tokens = new ArrayList<>();
        try (RunningAnswer answer = pipeline.start(asked.request(), asked.options())) {
            for (RunningAnswer.Piece piece = answer.next(); piece != null; piece = answer.next()) {
                if (piece.token() != null) {
                    tokens.add(piece.token());
                }
                if (tokens.size() >= leavesAfter) {
                    answer.cancel();
                }
            }
            return new Given(tokens, answer.response().text(), answer.response().finish());
        }
    }

    /** Prompts that begin alike, longer than a pass or short, with images or without, and all kinds of options. */
    private static Asked asked(SplittableRandom random) {
        List<RgbImage> images = new ArrayList<>();
        StringBuilder question = new StringBuilder();
        for (int i = random.nextInt(3); i > 0; i--) {
            images.add(image(1 + random.nextInt(3)));
            question.append("<image>\n");
        }
        question.append("Is there a red moon in the image? ".repeat(random.nextInt(20)));
        question.append(List.of("What is it?", "How many?", "Where?").get(random.nextInt(3)));
        List<Turn> turns = new ArrayList<>(List.of(Turn.human(question.toString())));
        if (random.nextInt(3) == 0) {
            turns.add(Turn.assistant("A moon."));
            turns.add(Turn.human("What color?"));
        }
        int longest = 1 + random.nextInt(30);
        List<String> stop = random.nextInt(3) == 0 ? List.of("e", "the") : List.of();
        GenerationOptions decoding = random.nextBoolean()
                ? new GenerationOptions(longest, 0, 1, 0, random.nextBoolean() ? 1 : 1.2, 0, stop)
                : new GenerationOptions(longest, 1.1, 0.9, 40, 1, random.nextInt(100), stop);
        JsonConstraint constraint = random.nextInt(3) == 0 ? CONSTRAINTS.get(random.nextInt(2)) : null;
        return new Asked(
                new ChatRequest(turns, images), new AnswerOptions(decoding, constraint, random.nextInt(-1, 4)));
    }

    private static LlavaModel model() {
        TextConfig text = new TextConfig(
                16,
                24,
                2,
                4,
                2,
                TOKENIZER.vocabSize(),
                2048,
                1e-5,
                10000,
                false,
                TOKENIZER.bosId(),
                TOKENIZER.eosId(),
                0);
        return CpuModels.of(
                new LlavaConfig(
                        TinyModels.config(0, List.of()).vision(), text, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0),
                DType.F16);
    }

    private static RgbImage image(int shade) {
        byte[] pixels = new byte[3 * TinyModels.EDGE * TinyModels.EDGE];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) (i * 7 * shade);
        }
        return new RgbImage(TinyModels.EDGE, TinyModels.EDGE, pixels);
    }
}
