package io.llava4j.generate.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.LlavaException;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.QuestionBatch;
import io.llava4j.generate.Sampler;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.model.cpu.CpuModels;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.Prompt;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sequences that join and leave at any time: nobody's answer changes, and nothing stays behind. */
class SchedulerTest {
    private static final int IMAGE = Prompt.IMAGE_TOKEN_INDEX;
    private static final int POSITIONS = 700;
    private static final Set<Integer> STOP = Set.of(2);

    private static LlavaModel model;

    @BeforeAll
    static void build() {
        model = withPositions(POSITIONS);
    }

    private static LlavaModel withPositions(int positions) {
        TextConfig text = new TextConfig(16, 24, 2, 4, 2, 24, positions, 1e-5, 10000, false, 1, 2, 0);
        LlavaConfig config = new LlavaConfig(
                TinyModels.config(0, List.of()).vision(), text, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0);
        return CpuModels.of(config, DType.F16);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private record Asked(ImagePrompt prompt, GenerationOptions options, int leavesAfter) {}

    /** Random arrivals in bursts, random lengths, seeds, cancels; every bit of every answer is that of the answer alone. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1000000, 0",
        "2, 3, 1000000, 0",
        "3, 8, 1000000, 0",
        "4, 8, 0, 0",
        "5, 8, 60000, 0",
        "6, 16, 20000, 0",
        "7, 1, 0, 16",
        "8, 3, 1000000, 1",
        "9, 8, 60000, 8"
    })
    void anAnswerDoesNotDependOnItsNeighbours(long seed, int parallel, long cacheBytes, int promptLookup)
            throws InterruptedException {
        SplittableRandom random = new SplittableRandom(seed);
        List<Asked> asked = IntStream.range(0, 40).mapToObj(i -> asked(random)).toList();
        List<List<ChosenToken>> alone = asked.stream().map(SchedulerTest::alone).toList();
        long pages = CpuModels.openPages();
        List<Recorded> answers = new ArrayList<>();
        try (Scheduler scheduler = new Scheduler(model, limits(parallel, cacheBytes), true)) {
            for (int i = 0; i < asked.size(); ) {
                if (random.nextInt(4) == 0) {
                    List<Asked> group = asked.subList(i, Math.min(asked.size(), i + 1 + random.nextInt(5)));
                    List<Recorded> listeners =
                            group.stream().map(SchedulerTest::listener).toList();
                    scheduler.submit(
                            group.stream().map(one -> work(one, promptLookup)).toList(), listeners);
                    answers.addAll(listeners);
                    i += group.size();
                } else {
                    Recorded listener = listener(asked.get(i));
                    Ticket ticket = scheduler.submit(work(asked.get(i), promptLookup), listener);
                    answers.add(listener);
                    if (random.nextInt(5) == 0) {
                        ticket.cancel();
                    }
                    i++;
                }
                if (random.nextInt(3) == 0) {
                    Thread.sleep(random.nextInt(10));
                }
            }
            for (int i = 0; i < asked.size(); i++) {
                Recorded answer = answers.get(i).await();
                List<ChosenToken> wanted = alone.get(i);
                assertThat(answer.failure()).isNull();
                if (answer.reason() == FinishReason.CANCELLED) {
                    wanted = wanted.subList(0, answer.tokens.size());
                }
                assertThat(answer.tokens).as("answer %d", i).isEqualTo(wanted);
            }
            assertThat(scheduler.stats().running()).isZero();
            assertThat(scheduler.stats().cacheBytes()).isLessThanOrEqualTo(cacheBytes);
            assertThat(scheduler.stats().finished()).isEqualTo(asked.size());
            if (promptLookup > 1) {
                assertThat(scheduler.stats().rightGuesses()).isPositive();
                assertThat(scheduler.stats().guessedTokens())
                        .isGreaterThan(scheduler.stats().rightGuesses());
            }
            if (cacheBytes == 0) {
                assertThat(CpuModels.openPages()).isEqualTo(pages);
            }
        }
        assertThat(CpuModels.openPages()).isEqualTo(pages);
    }

    /** As an evaluation asks: batches of any size, with shared prefixes or without. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F16"})
    void anyBatchAndSharingGivesTheSameBits(DType kvType) {
        List<Work> works = QuestionBatch.prompts().stream()
                .map(prompt -> logged(prompt, GenerationOptions.greedy(4), 0))
                .toList();
        try (LlavaModel tiny = CpuModels.of(TinyModels.config(0, List.of()), kvType)) {
            List<List<ChosenToken>> wanted = answers(tiny, works, 1, false);
            for (boolean sharing : new boolean[] {false, true}) {
                for (int batch : new int[] {1, 2, 7, 32}) {
                    assertThat(answers(tiny, works, batch, sharing))
                            .as("batches of %d, sharing %s", batch, sharing)
                            .isEqualTo(wanted);
                }
            }
        }
    }

    private static List<List<ChosenToken>> answers(LlavaModel tiny, List<Work> works, int batch, boolean sharing) {
        List<List<ChosenToken>> answers = new ArrayList<>();
        try (Scheduler scheduler = new Scheduler(tiny, limits(32, 1 << 20), sharing)) {
            for (int from = 0; from < works.size(); from += batch) {
                List<Work> part = works.subList(from, Math.min(from + batch, works.size()));
                List<Recorded> listeners =
                        part.stream().map(work -> new Recorded()).toList();
                scheduler.submit(part, listeners);
                listeners.forEach(listener -> answers.add(listener.await().tokens));
            }
        }
        return answers;
    }

    private static Asked asked(SplittableRandom random) {
        int[] start = {1, 8, 9, 7};
        int shown = random.nextInt(3);
        List<PreparedImage> images = new ArrayList<>();
        IntStream.Builder ids = IntStream.builder();
        Arrays.stream(start).forEach(ids::add);
        for (int i = 0; i < shown; i++) {
            ids.add(IMAGE);
            images.add(TinyModels.image(random.nextInt(3)));
        }
        int same = random.nextInt(4) * 60;
        IntStream.range(0, same).map(i -> 3 + i % 20).forEach(ids::add);
        random.ints(1 + random.nextInt(300), 3, 24).forEach(ids::add);
        int longest = 1 + random.nextInt(20);
        GenerationOptions options = random.nextBoolean()
                ? GenerationOptions.greedy(longest)
                : new GenerationOptions(longest, 1.3, 0.95, 15, 1.1, random.nextInt(100));
        return new Asked(new ImagePrompt(ids.build().toArray(), images), options, 1 + random.nextInt(60));
    }

    private static Recorded listener(Asked asked) {
        return new Recorded(count -> count < asked.leavesAfter());
    }

    private static List<ChosenToken> alone(Asked asked) {
        try (Scheduler scheduler = new Scheduler(model, limits(1, 0), false)) {
            Recorded answer = listener(asked);
            scheduler.submit(work(asked, 0), answer);
            return answer.await().tokens;
        }
    }

    private static Work work(Asked asked, int promptLookup) {
        return logged(asked.prompt(), asked.options(), promptLookup);
    }

    private static Work logged(ImagePrompt prompt, GenerationOptions options, int promptLookup) {
        return new Work(prompt, options.maxNewTokens(), STOP, new Sampler(options)::sample, null, 3, promptLookup);
    }

    private static Work greedy(int[] ids, int longest, PreparedImage... images) {
        return new Work(
                new ImagePrompt(ids, List.of(images)),
                longest,
                Set.of(),
                new Sampler(GenerationOptions.greedy(longest))::sample,
                null,
                -1,
                0);
    }

    private static Scheduler.Limits limits(int parallel, long cacheBytes) {
        return new Scheduler.Limits(parallel, 1000, 0, cacheBytes, Duration.ZERO);
    }

    /** A conversation about an image, and another question about it: each reads only what is new. */
    @Test
    void whatWasReadIsNotReadAgain() {
        try (Scheduler scheduler = new Scheduler(model, limits(4, 1 << 20), true)) {
            PreparedImage image = TinyModels.image(1);
            int[] question = {1, 4, IMAGE, 5, 6, 7};
            Recorded first = ask(scheduler, greedy(question, 4, image));
            assertThat(first.usage().cachedTokens()).isZero();
            int[] turn = {
                1,
                4,
                IMAGE,
                5,
                6,
                7,
                first.tokens.get(0).id(),
                first.tokens.get(1).id(),
                9,
                10
            };
            Recorded second = ask(
                    scheduler, greedy(turn, 4, PreparedImage.of(image.pixels().clone())));
            assertThat(second.usage().cachedTokens()).isEqualTo(7 + TinyModels.PATCHES);
            assertThat(second.usage().promptTokens()).isEqualTo(9 + TinyModels.PATCHES);
            assertThat(second.usage().imageTokens()).isEqualTo(TinyModels.PATCHES);
            Recorded third = ask(scheduler, greedy(new int[] {1, 4, IMAGE, 5, 11, 7}, 4, image));
            assertThat(third.usage().cachedTokens()).isEqualTo(3 + TinyModels.PATCHES);
            Recorded fourth = ask(scheduler, greedy(new int[] {1, 4, IMAGE, 5, 11, 7}, 4, TinyModels.image(2)));
            assertThat(fourth.usage().cachedTokens()).isEqualTo(2);
            assertThat(scheduler.stats().encodedImages()).isEqualTo(2);
            Recorded moved = ask(scheduler, greedy(new int[] {1, IMAGE, 5}, 4, image));
            assertThat(moved.usage().cachedTokens()).isEqualTo(1);
            assertThat(scheduler.stats().encodedImages()).isEqualTo(2);
            assertThat(scheduler.stats().cachedImages()).isEqualTo(1);
        }
    }

    /** Requests that come together read what they have in common once, before any of them is answered. */
    @Test
    void neighboursShareTheirPrefix() {
        try (Scheduler scheduler = new Scheduler(model, limits(8, 0), true)) {
            PreparedImage image = TinyModels.image(1);
            List<Work> works = IntStream.range(0, 8)
                    .mapToObj(i -> greedy(new int[] {1, 4, IMAGE, 5, 6 + i, 7}, 3, image))
                    .toList();
            List<Recorded> answers = works.stream().map(work -> new Recorded()).toList();
            scheduler.submit(works, answers);
            assertThat(answers.stream().map(answer -> answer.await().usage().cachedTokens()))
                    .containsExactly(0, 7, 7, 7, 7, 7, 7, 7);
            assertThat(scheduler.stats().encodedImages()).isEqualTo(1);
        }
    }

    @Test
    void aCancelledAnswerLeavesWithinOneStep() throws InterruptedException {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch cancelled = new CountDownLatch(1);
        Recorded answer = new Recorded(count -> {
            running.countDown();
            if (count == 1) {
                await(cancelled);
            }
            return true;
        });
        long pages = CpuModels.openPages();
        try (Scheduler scheduler = new Scheduler(model, limits(1, 0), true)) {
            Ticket ticket = scheduler.submit(greedy(new int[] {1, 5}, 600), answer);
            running.await();
            Recorded next = new Recorded();
            scheduler.submit(greedy(new int[] {1, 6}, 2), next);
            ticket.cancel();
            cancelled.countDown();
            assertThat(answer.await().reason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(answer.tokens).hasSize(1);
            assertThat(next.await().reason()).isEqualTo(FinishReason.MAX_NEW_TOKENS);
            assertThat(CpuModels.openPages()).isEqualTo(pages);
        }
    }

    @Test
    void tooManyRequestsAreRefusedAndTheOthersAnswered() throws InterruptedException {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        Recorded held = new Recorded(count -> {
            running.countDown();
            await(goOn);
            return true;
        });
        try (Scheduler scheduler = new Scheduler(model, new Scheduler.Limits(1, 2, 0, 0, Duration.ZERO), true)) {
            scheduler.submit(greedy(new int[] {1, 5}, 3), held);
            running.await();
            List<Recorded> waiting = List.of(new Recorded(), new Recorded());
            waiting.forEach(listener -> scheduler.submit(greedy(new int[] {1, 6}, 3), listener));
            assertThatThrownBy(() -> scheduler.submit(greedy(new int[] {1, 6}, 3), new Recorded()))
                    .isInstanceOfSatisfying(
                            OverloadedException.class,
                            e -> assertThat(e.retryAfter()).isGreaterThanOrEqualTo(Duration.ofSeconds(1)));
            assertThat(scheduler.stats().refused()).isEqualTo(1);
            assertThat(scheduler.stats().waiting()).isEqualTo(2);
            goOn.countDown();
            assertThat(held.await().tokens).hasSize(3);
            waiting.forEach(listener -> assertThat(listener.await().tokens).hasSize(3));
        }
    }

    @Test
    void anAnswerThatTakesTooLongFails() {
        try (Scheduler scheduler = new Scheduler(model, new Scheduler.Limits(1, 9, 0, 0, Duration.ofMillis(1)), true)) {
            Recorded late = new Recorded(count -> {
                try {
                    Thread.sleep(2);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return true;
            });
            scheduler.submit(greedy(new int[] {1, 5}, 500), late);
            Recorded behind = new Recorded();
            scheduler.submit(greedy(new int[] {1, 5}, 500), behind);
            assertThat(late.await().failure()).isInstanceOf(AnswerTimeoutException.class);
            assertThat(behind.await().failure()).isInstanceOf(AnswerTimeoutException.class);
        }
    }

    /** Memory for one answer at a time: the others wait, and cached prefixes give way. */
    @Test
    void memoryIsReservedBeforeAnAnswerBegins() {
        long page = page();
        try (Scheduler scheduler = new Scheduler(model, limits(4, 1 << 20), true, () -> 3 * page)) {
            List<Recorded> answers = IntStream.range(0, 6)
                    .mapToObj(i -> {
                        Recorded listener = new Recorded();
                        scheduler.submit(greedy(new int[] {1, 5 + i}, 100), listener);
                        return listener;
                    })
                    .toList();
            answers.forEach(answer -> assertThat(answer.await().tokens).hasSize(100));
            assertThat(scheduler.stats().batchedAnswers())
                    .isLessThanOrEqualTo(scheduler.stats().steps());
        }
    }

    /** At once, whether the scheduler is idle or others are being answered; never for want of what those hold. */
    @Test
    void aRequestThatMemoryCanNeverHoldIsRefused() throws InterruptedException {
        CountDownLatch running = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        long pages = CpuModels.openPages();
        LongSupplier memory = () -> (3 - (CpuModels.openPages() - pages)) * page();
        try (Scheduler scheduler = new Scheduler(model, limits(4, 0), true, memory)) {
            assertRefused(scheduler);
            Recorded held = new Recorded(count -> {
                running.countDown();
                await(goOn);
                return true;
            });
            scheduler.submit(greedy(new int[] {1, 5}, 100), held);
            running.await();
            assertRefused(scheduler);
            Recorded waiting = new Recorded();
            scheduler.submit(greedy(new int[] {1, 6}, 100), waiting);
            assertRefused(scheduler);
            goOn.countDown();
            assertThat(held.await().tokens).hasSize(100);
            assertThat(waiting.await().tokens).hasSize(100);
        }
    }

    private static void assertRefused(Scheduler scheduler) {
        assertThatThrownBy(() -> scheduler.submit(greedy(new int[] {1, 5}, 640), new Recorded()))
                .isInstanceOf(LlavaException.class)
                .hasMessageStartingWith("keys and values of this conversation need 0.0 GB of memory");
    }

    @Test
    void theRefusalSaysWhatToDo() {
        try (LlavaModel longWinded = withPositions(1 << 20);
                Scheduler scheduler = new Scheduler(longWinded, limits(1, 0), true, () -> 60_000_000)) {
            assertThatThrownBy(() -> scheduler.submit(greedy(new int[] {1, 5}, 1_000_000), new Recorded()))
                    .isInstanceOf(LlavaException.class)
                    .hasMessage("keys and values of this conversation need 0.3 GB of memory, but 0.1 GB are available;"
                            + " use a lower --max-new-tokens or a shorter prompt");
        }
    }

    private static long page() {
        return ((CpuLlamaModel) model.languageModel()).cacheBytes(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 20})
    void theContextLimitsPromptAndAnswer(int context) {
        int longest = context == 0 ? POSITIONS : context;
        try (Scheduler scheduler = new Scheduler(model, new Scheduler.Limits(1, 9, context, 0, Duration.ZERO), true)) {
            int[] ids = new int[longest - 4];
            Arrays.fill(ids, 5);
            Recorded answer = ask(scheduler, greedy(ids, 50));
            assertThat(answer.tokens).hasSize(4);
            assertThat(answer.reason()).isEqualTo(FinishReason.CONTEXT);
            assertThatThrownBy(() -> scheduler.submit(greedy(new int[longest], 1), new Recorded()))
                    .isInstanceOf(DataException.class)
                    .hasMessage(
                            "the prompt has %d tokens, image tokens included, but the model reads %d; shorten the"
                                    + " conversation",
                            longest, longest - 1);
        }
    }

    /** What breaks one answer leaves the others alone. */
    @Test
    void failuresStayWithTheirAnswer() {
        long pages = CpuModels.openPages();
        try (Scheduler scheduler = new Scheduler(model, limits(4, 0), true)) {
            Recorded wrongImage = new Recorded();
            Recorded broken = new Recorded(count -> {
                throw new IllegalStateException("a listener's fault");
            });
            Recorded well = new Recorded();
            scheduler.submit(greedy(new int[] {1, IMAGE, 5}, 3, PreparedImage.of(new float[12])), wrongImage);
            scheduler.submit(greedy(new int[] {1, 5}, 3), broken);
            scheduler.submit(greedy(new int[] {1, 6}, 3), well);
            assertThat(wrongImage.await().failure())
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("12 values");
            assertThat(broken.await().failure()).hasMessage("a listener's fault");
            assertThat(well.await().tokens).hasSize(3);
        }
        assertThat(CpuModels.openPages()).isEqualTo(pages);
    }

    /** A language model of the tensor engine answers one request after another, as each alone. */
    @Test
    void theTensorEngineAnswersOneAfterAnother() {
        try (LlavaModel tensors = TinyModels.of(TinyModels.config(0, List.of()));
                Scheduler scheduler = new Scheduler(tensors, limits(8, 0), true)) {
            List<Recorded> answers = IntStream.range(0, 4)
                    .mapToObj(i -> {
                        Recorded listener = new Recorded();
                        scheduler.submit(greedy(new int[] {1, IMAGE, 5 + i % 2}, 6, TinyModels.image(1)), listener);
                        return listener;
                    })
                    .toList();
            answers.forEach(answer -> assertThat(answer.await().tokens).hasSize(6));
            assertThat(answers.get(2).tokens).isEqualTo(answers.get(0).tokens);
            assertThat(scheduler.stats().batchedAnswers()).isEqualTo(24);
        }
    }

    private static Recorded ask(Scheduler scheduler, Work work) {
        Recorded listener = new Recorded();
        scheduler.submit(work, listener);
        return listener.await();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
