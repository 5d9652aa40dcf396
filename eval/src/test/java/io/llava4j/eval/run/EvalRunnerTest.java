package io.llava4j.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.AnswerFile;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.generate.ChatModel;
import io.llava4j.generate.ChatRequest;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.image.RgbImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EvalRunnerTest {
    @TempDir
    Path folder;

    private final List<Question> questions = new ArrayList<>();
    private final List<List<ChatRequest>> batches = new ArrayList<>();

    /** Answers with the image's grey value and the question's length; é and a newline test the escaping. */
    private final ChatModel model = (requests, options) -> {
        batches.add(requests);
        return requests.stream().map(EvalRunnerTest::describe).toList();
    };

    @BeforeEach
    void images() throws Exception {
        for (int i = 0; i < 4; i++) {
            Files.write(folder.resolve(i + ".grey"), new byte[] {(byte) (10 * i)});
        }
        for (int i = 0; i < 23; i++) {
            String image = i == 20 ? null : (i * 7) % 4 + ".grey";
            questions.add(new Question(QuestionId.of(100 + i), image, "What? " + "é\n".repeat(i), "default"));
        }
    }

    @Test
    void writesAnswersInTheOrderOfTheQuestionsWithImagesGrouped() {
        List<String> progress = new ArrayList<>();
        List<Answer> answers = runner().run(job(5, false), (done, total) -> progress.add(done + "/" + total));

        assertThat(answers.stream().map(Answer::id))
                .containsExactlyElementsOf(questions.stream().map(Question::id).toList());
        assertThat(AnswerFile.read(folder.resolve("answers.jsonl"))).isEqualTo(answers);
        assertThat(progress).containsExactly("0/23", "5/23", "10/23", "15/23", "20/23", "23/23");
        assertThat(answers).allSatisfy(a -> assertThat(a.answerId()).hasSize(22));
        List<RgbImage> seen = batches.stream()
                .flatMap(List::stream)
                .flatMap(r -> r.images().stream())
                .toList();
        long changes = IntStream.range(1, seen.size())
                .filter(i -> seen.get(i).pixels()[0] != seen.get(i - 1).pixels()[0])
                .count();
        assertThat(changes).isEqualTo(3);
        assertThat(batches.getFirst().get(0).images().getFirst())
                .isSameAs(batches.getFirst().get(1).images().getFirst());
        assertThat(batches.stream().flatMap(List::stream).filter(r -> r.images().isEmpty()))
                .singleElement()
                .satisfies(r -> assertThat(r.turns().getFirst().text()).doesNotContain("<image>"));
        assertThat(folder.resolve("answers.jsonl.part")).doesNotExist();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void aKilledRunGoesOnAndWritesTheSameFile(int killedAfter) throws Exception {
        runner().run(job(5, false), (done, total) -> {});
        byte[] unbroken = Files.readAllBytes(folder.resolve("answers.jsonl"));
        Files.delete(folder.resolve("answers.jsonl"));
        batches.clear();

        AtomicInteger asked = new AtomicInteger();
        ChatModel dying = (requests, options) -> {
            if (asked.getAndIncrement() == killedAfter) {
                throw new IllegalStateException("killed");
            }
            return model.answer(requests, options);
        };
        assertThatThrownBy(() -> new EvalRunner(dying, "m", EvalRunnerTest::decode).run(job(5, false), (d, t) -> {}))
                .hasMessage("killed");
        assertThat(folder.resolve("answers.jsonl")).doesNotExist();
        Path part = folder.resolve("answers.jsonl.part");
        byte[] line = Files.readString(part).lines().findFirst().orElseThrow().getBytes(StandardCharsets.UTF_8);
        Files.write(part, Arrays.copyOf(line, line.length / 2), StandardOpenOption.APPEND);

        List<String> progress = new ArrayList<>();
        runner().run(job(2, false), (done, total) -> progress.add(done + "/" + total));
        assertThat(progress.getFirst()).isEqualTo(5 * killedAfter + "/23");
        assertThat(batches.stream().mapToInt(List::size).sum()).isEqualTo(23);
        assertThat(Files.readAllBytes(folder.resolve("answers.jsonl"))).isEqualTo(unbroken);
    }

    @Test
    void aQuestionThatTheModelCannotAnswerIsNamedBeforeTheFirstIsAsked() {
        ChatModel choosy = new Limited() {
            @Override
            public void check(ChatRequest request) {
                if (request.turns().getFirst().text().lines().count() > 22) {
                    throw new DataException("the prompt is too long");
                }
            }
        };
        assertThatThrownBy(() -> new EvalRunner(choosy, "m", EvalRunnerTest::decode).run(job(5, false), (d, t) -> {}))
                .isInstanceOf(DataException.class)
                .hasMessage("question 122: the prompt is too long");
        assertThat(batches).isEmpty();
    }

    @Test
    void truncatedAnswersAreMarkedInTheirMetadataAndCounted() throws Exception {
        List<Answer> answers =
                new EvalRunner(new Limited(), "m", EvalRunnerTest::decode).run(job(5, false), (d, t) -> {});

        assertThat(answers.stream().filter(Answer::truncated).map(Answer::id))
                .containsExactly(QuestionId.of(121), QuestionId.of(122));
        assertThat(EvalRunner.truncated(answers))
                .hasValue("2 of 23 answers were truncated by max-new-tokens or the model's context"
                        + " (the first: question 121)");
        assertThat(EvalRunner.truncated(answers.subList(0, 20))).isEmpty();
        List<String> lines = Files.readAllLines(folder.resolve("answers.jsonl"));
        assertThat(lines.get(20)).endsWith("\"metadata\": {}}");
        assertThat(lines.get(21)).endsWith("\"metadata\": {\"finish_reason\": \"length\"}}");
        assertThat(AnswerFile.read(folder.resolve("answers.jsonl"))).isEqualTo(answers);
    }

    /** The model of the other tests, which reaches its limit in the longest questions. */
    private class Limited implements ChatModel {
        @Override
        public List<String> answer(List<ChatRequest> requests, GenerationOptions options) {
            return model.answer(requests, options);
        }

        @Override
        public List<ChatModel.Answer> finishedAnswers(List<ChatRequest> requests, GenerationOptions options) {
            List<ChatModel.Answer> answers = new ArrayList<>();
            for (ChatRequest request : requests) {
                boolean isLong = request.turns().getFirst().text().lines().count() > 20;
                answers.add(new ChatModel.Answer(
                        describe(request), isLong ? FinishReason.MAX_NEW_TOKENS : FinishReason.STOP));
            }
            return answers;
        }
    }

    @Test
    void aFinishedRunIsNotRepeated() {
        List<Answer> first = runner().run(job(5, false), (done, total) -> {});
        batches.clear();
        assertThat(runner().run(job(3, false), (done, total) -> {})).isEqualTo(first);
        assertThat(batches).isEmpty();
    }

    @Test
    void questionsOfOneIdAreToldApartByTheirText() {
        questions.add(new Question(QuestionId.of(100), "1.grey", "Another?", "default"));
        List<Answer> first = runner().run(job(5, false), (done, total) -> {});
        assertThat(first.getFirst().text()).isEqualTo("0 é 14");
        assertThat(first.getLast()).satisfies(answer -> {
            assertThat(answer.id()).isEqualTo(QuestionId.of(100));
            assertThat(answer.prompt()).isEqualTo("Another?");
            assertThat(answer.text()).isEqualTo("10 é 16");
        });
        batches.clear();
        assertThat(runner().run(job(5, false), (done, total) -> {})).isEqualTo(first);
        assertThat(batches).isEmpty();
    }

    @Test
    void theSameQuestionTwiceIsAskedOnceAndAnsweredTwice() {
        Question first = questions.getFirst();
        questions.add(first);
        List<Answer> answers = runner().run(job(5, false), (done, total) -> {});
        assertThat(answers).hasSize(24);
        assertThat(answers.getLast()).isEqualTo(answers.getFirst());
        assertThat(batches.stream().mapToInt(List::size).sum()).isEqualTo(23);
        questions.add(new Question(first.id(), "other.grey", first.text(), "default"));
        assertThatThrownBy(() -> runner().run(job(5, false), (done, total) -> {}))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("question_id 100 is asked twice with the same text about two images");
    }

    @Test
    void refusesToContinueAnotherRun() {
        runner().run(job(5, false), (done, total) -> {});
        assertThatThrownBy(() -> runner().run(job(5, true), (done, total) -> {}))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("answers.jsonl belongs to a run with another model");
        assertThatThrownBy(() ->
                        new EvalRunner(model, "other", EvalRunnerTest::decode).run(job(5, false), (done, total) -> {}))
                .isInstanceOf(ConfigException.class);
    }

    @Test
    void blindfoldedModelSeesClipsMeanColour() {
        runner().run(job(50, true), (done, total) -> {});
        assertThat(batches.getFirst().getFirst().images().getFirst())
                .satisfies(image -> assertThat(image.width()).isEqualTo(3))
                .satisfies(image -> assertThat(image.height()).isEqualTo(2))
                .satisfies(image -> assertThat(image.pixels()).startsWith(122, 116, 104, 122, 116, 104));
    }

    @ParameterizedTest
    @ValueSource(strings = {"../secret.png", "a/../../secret.png", "/etc/hostname", ".", "a\0b"})
    void refusesPathsThatLeaveTheImageFolder(String image) {
        questions.add(new Question(QuestionId.of("evil"), image, "What?", "default"));
        assertThatThrownBy(() -> runner().run(job(5, false), (done, total) -> {}))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith("question evil: image");
        assertThat(batches).isEmpty();
    }

    @Test
    void namesTheQuestionOfAMissingImageBeforeAnythingIsAsked() {
        questions.add(new Question(QuestionId.of(7), "none.png", "What?", "default"));
        assertThatThrownBy(() -> runner().run(job(5, false), (done, total) -> {}))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("question 7: image 'none.png' is not in");
        assertThat(batches).isEmpty();
    }

    private EvalRunner runner() {
        return new EvalRunner(model, "m", EvalRunnerTest::decode);
    }

    private EvalRunner.Job job(int batchSize, boolean blind) {
        return new EvalRunner.Job(
                questions, folder, folder.resolve("answers.jsonl"), GenerationOptions.greedy(8), batchSize, blind);
    }

    private static RgbImage decode(Path file) {
        try {
            byte[] pixels = new byte[18];
            Arrays.fill(pixels, Files.readAllBytes(file)[0]);
            return new RgbImage(3, 2, pixels);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String describe(ChatRequest request) {
        String text = request.turns().getFirst().text();
        return request.images().isEmpty()
                ? "none\né"
                : request.images().getFirst().pixels()[0] + " é " + text.length();
    }
}
