package io.llava4j.eval.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.llava4j.DataException;
import io.llava4j.eval.format.Answer;
import io.llava4j.eval.format.Question;
import io.llava4j.eval.format.QuestionId;
import io.llava4j.eval.report.UnusableImages;
import io.llava4j.generate.ChatModel;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.image.RgbImage;
import io.llava4j.io.Shard;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What happens to questions whose image is missing, damaged, or changed since they were answered. */
class MissingImagesTest {
    private static final byte DAMAGED = 66;

    @TempDir
    Path folder;

    private final List<Question> questions = new ArrayList<>();
    private int asked;

    /** Answers with the red value of the image. */
    private final ChatModel model = (requests, options) -> {
        asked += requests.size();
        return requests.stream()
                .map(request -> String.valueOf(request.images().getFirst().pixels()[0]))
                .toList();
    };

    /** Images a to d have two questions each; c is damaged. */
    @BeforeEach
    void questions() throws Exception {
        for (String name : List.of("a", "b", "c", "d")) {
            Files.write(folder.resolve(name), new byte[] {name.equals("c") ? DAMAGED : (byte) name.charAt(0)});
            for (int i = 0; i < 2; i++) {
                questions.add(new Question(QuestionId.of(questions.size()), name, "Q" + i, "default"));
            }
        }
    }

    @Test
    void failingKeepsTheAnswersGivenBeforeInTheSameBatchAndNamesTheWayOn() throws Exception {
        assertThatThrownBy(() -> run(MissingImagePolicy.FAIL))
                .isInstanceOf(DataException.class)
                .hasMessage(
                        "question 4: damaged; use another task, or go on without it by --missing-image-policy skip or blank");
        assertThat(Files.readAllLines(folder.resolve("answers.jsonl.part"))).hasSize(4);
        assertThat(texts(run(MissingImagePolicy.SKIP))).containsExactly("97", "97", "98", "98", "", "", "100", "100");
        assertThat(asked).isEqualTo(6);
    }

    @Test
    void skippedQuestionsHaveAnEmptyAnswerAndAreCounted() {
        assertThat(texts(run(MissingImagePolicy.SKIP))).containsExactly("97", "97", "98", "98", "", "", "100", "100");
        assertThat(asked).isEqualTo(6);
        assertThat(unusable()).isEqualTo(new UnusableImages("skip", 1, 2, "question 4: damaged"));
        assertThat(unusable().warning()).contains("1 images", "2 questions were not asked", "question 4: damaged");
    }

    @Test
    void blankQuestionsAreAskedAboutClipsMeanColor() throws Exception {
        Files.delete(folder.resolve("a"));
        assertThat(texts(run(MissingImagePolicy.BLANK)))
                .containsExactly("122", "122", "98", "98", "122", "122", "100", "100");
        assertThat(unusable().images()).isEqualTo(2);
        assertThat(unusable().questions()).isEqualTo(4);
        assertThat(unusable().first()).startsWith("question 0: image 'a' is not in ");
    }

    @Test
    void aFinishedRunIsRepeatedOnlyWhereAnImageWasMendedOrChangedOrThePolicyDiffers() throws Exception {
        List<Answer> first = run(MissingImagePolicy.SKIP);
        asked = 0;
        assertThat(run(MissingImagePolicy.SKIP)).isEqualTo(first);
        assertThat(asked).isZero();
        assertThat(unusable().questions()).isEqualTo(2);

        assertThat(texts(run(MissingImagePolicy.BLANK)).subList(4, 6)).containsExactly("122", "122");
        assertThat(asked).isEqualTo(2);

        Files.write(folder.resolve("c"), new byte[] {'c'});
        Files.write(folder.resolve("a"), new byte[] {'z'});
        asked = 0;
        assertThat(texts(run(MissingImagePolicy.FAIL)))
                .containsExactly("122", "122", "98", "98", "99", "99", "100", "100");
        assertThat(asked).isEqualTo(4);
        assertThat(EvalRunner.unusableImages(job(MissingImagePolicy.FAIL))).isEmpty();
        assertThat(folder.resolve("answers.jsonl.part")).doesNotExist();
    }

    @Test
    void shardsBringWhatTheyKnowOfTheirImages() {
        EvalRunner.Job whole = job(MissingImagePolicy.SKIP);
        for (int i = 1; i <= 2; i++) {
            runner().run(whole.part(new Shard(i, 2)), (done, total) -> {});
        }
        asked = 0;
        assertThat(texts(run(MissingImagePolicy.SKIP)).subList(4, 6)).containsExactly("", "");
        assertThat(asked).isZero();
        assertThat(unusable().questions()).isEqualTo(2);
    }

    @Test
    void aRunWithoutAnyUsableImageFails() throws Exception {
        for (String name : List.of("a", "b", "c", "d")) {
            Files.delete(folder.resolve(name));
        }
        for (MissingImagePolicy policy : List.of(MissingImagePolicy.SKIP, MissingImagePolicy.BLANK)) {
            assertThatThrownBy(() -> run(policy)).hasMessageContaining("none of the 4 images can be used");
        }
        assertThatThrownBy(() -> run(MissingImagePolicy.FAIL)).hasMessageContaining("nor are 3 others");
        for (String name : List.of("a", "b", "c", "d")) {
            Files.write(folder.resolve(name), new byte[] {DAMAGED});
        }
        assertThatThrownBy(() -> run(MissingImagePolicy.SKIP)).hasMessageContaining("none of the 4 images can be used");
        assertThat(asked).isZero();
    }

    private static List<String> texts(List<Answer> answers) {
        return answers.stream().map(Answer::text).toList();
    }

    private UnusableImages unusable() {
        return EvalRunner.unusableImages(job(MissingImagePolicy.SKIP)).orElseThrow();
    }

    private List<Answer> run(MissingImagePolicy policy) {
        return runner().run(job(policy), (done, total) -> {});
    }

    private EvalRunner runner() {
        return new EvalRunner(model, "m", MissingImagesTest::decode);
    }

    private EvalRunner.Job job(MissingImagePolicy policy) {
        return new EvalRunner.Job(
                questions,
                folder,
                folder.resolve("answers.jsonl"),
                GenerationOptions.greedy(8),
                5,
                false,
                Question::text,
                policy,
                "use another task");
    }

    private static RgbImage decode(Path file) {
        try {
            byte value = Files.readAllBytes(file)[0];
            if (value == DAMAGED) {
                throw new DataException("damaged");
            }
            byte[] pixels = new byte[3];
            Arrays.fill(pixels, value);
            return new RgbImage(1, 1, pixels);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
