package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.generate.session.SharedPrefixes;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers are the same token ids in every batch, whether or not shared prefixes are read once. */
class BatchIndependenceTest {
    private static final int IMAGE = Prompt.IMAGE_TOKEN_INDEX;
    private static final Generator.Observer NOBODY = (sequence, id) -> true;
    private static final int[] BATCHES = {1, 2, 7, 32};

    @Test
    void anyBatchAndSharingGivesTheSameIds() {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            assertIndependent(model, 2);
        }
    }

    /** All words score the same except in the last bits, so that rounding decides every token. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 1e-7})
    void nearTiesAreDecidedAlike(double apart) {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            tie(model, apart);
            assertThat(assertIndependent(model, -1)).isGreaterThan(100);
        }
    }

    /** Otherwise the tests above would pass whatever the generator did. */
    @Test
    void batchesDifferInRounding() {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            tie(model, 1e-7);
            Generator generator = new Generator(model);
            answer(generator, QuestionBatch.prompts(), 32, -1);
            assertThat(generator.largestError()).isGreaterThan(0).isLessThan(Generator.MIN_ERROR / 10);
        }
    }

    @Test
    void answersWithoutNearTiesAreNotRedecoded() {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            Generator generator = new Generator(model);
            answer(generator, QuestionBatch.prompts(), 32, 2);
            // The first sequence of the first batch measures the rounding.
            assertThat(generator.redecodedAlone()).isBetween(1L, 4L);
        }
    }

    @Test
    void promptsShareThePrefixUpToTheFirstDifference() {
        PreparedImage a = TinyModels.image(1);
        PreparedImage b = TinyModels.image(2);
        List<ImagePrompt> prompts = ImagePrompt.of(
                List.of(
                        new int[] {1, 4, IMAGE, 5, 6, 7},
                        new int[] {1, 4, IMAGE, 5, 6, IMAGE},
                        new int[] {1, 4, IMAGE, 5, 9},
                        new int[] {1, 4, IMAGE, 5, 6},
                        new int[] {1, 9, 3},
                        new int[] {1, 9}),
                List.of(a, a, b, b, a));
        SharedPrefixes shared = SharedPrefixes.of(prompts);
        assertThat(shared.prefixOf()).containsExactly(0, 0, 1, 0, 2, 2);
        assertThat(shared.prefixes().get(0).ids()).containsExactly(1, 4, IMAGE, 5);
        assertThat(shared.prefixes().get(0).images()).containsExactly(a);
        assertThat(shared.prefixes().get(1).ids()).containsExactly(1, 4, IMAGE, 5);
        assertThat(shared.prefixes().get(2).ids()).containsExactly(1);
        assertThat(shared.suffixes(prompts).stream().map(ImagePrompt::ids))
                .containsExactly(
                        new int[] {6, 7},
                        new int[] {6, IMAGE},
                        new int[] {9},
                        new int[] {6},
                        new int[] {9, 3},
                        new int[] {9});
        assertThat(shared.suffixes(prompts).get(1).images()).containsExactly(b);
    }

    /** @return answers that all generators together re-decoded alone */
    private static long assertIndependent(LlavaModel model, int stop) {
        List<ImagePrompt> requests = QuestionBatch.prompts();
        List<int[]> wanted = answer(new Generator(model), requests, 1, stop);
        long redecoded = 0;
        for (boolean sharing : new boolean[] {false, true}) {
            for (int batch : BATCHES) {
                Generator generator = new Generator(model, sharing);
                List<int[]> given = answer(generator, requests, batch, stop);
                for (int i = 0; i < requests.size(); i++) {
                    assertThat(given.get(i))
                            .as("question %d, batches of %d, sharing %s", i, batch, sharing)
                            .containsExactly(wanted.get(i));
                }
                redecoded += generator.redecodedAlone();
            }
        }
        return redecoded;
    }

    private static List<int[]> answer(Generator generator, List<ImagePrompt> requests, int batch, int stop) {
        List<int[]> answers = new ArrayList<>();
        for (int from = 0; from < requests.size(); from += batch) {
            List<ImagePrompt> part = requests.subList(from, Math.min(from + batch, requests.size()));
            answers.addAll(generator.generate(
                    part.stream().map(ImagePrompt::ids).toList(),
                    part.stream().flatMap(request -> request.images().stream()).toList(),
                    GenerationOptions.greedy(4),
                    Set.of(stop),
                    NOBODY));
        }
        return answers;
    }

    private static void tie(LlavaModel model, double apart) {
        Engine.inference("tying words", () -> {
            float[] head = Tensors.toFloats(model.weights().get("lm_head.weight"));
            int hidden = model.config().text().hiddenSize();
            SplittableRandom random = new SplittableRandom(9);
            for (int i = hidden; i < head.length; i++) {
                head[i] = (float) (head[i % hidden] * (1 + apart * random.nextDouble()));
            }
            model.weights().get("lm_head.weight").copy_(Tensors.of(head, head.length / hidden, hidden));
            return null;
        });
    }
}
