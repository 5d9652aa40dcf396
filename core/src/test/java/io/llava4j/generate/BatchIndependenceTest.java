package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers are the same token ids whatever the batch and whether or not beginnings are shared. */
class BatchIndependenceTest {
    private static final int IMAGE = Prompt.IMAGE_TOKEN_INDEX;
    private static final Generator.Observer NOBODY = new Generator.Observer() {};
    private static final int[] BATCHES = {1, 2, 7, 32};

    private record Ask(int[] ids, List<float[]> images) {}

    @Test
    void anyBatchAndSharingGivesTheSameIds() {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            assertIndependent(model, 2);
        }
    }

    /** All words score the same but for the last bits, so that rounding decides every token. */
    @ParameterizedTest
    @ValueSource(doubles = {0, 1e-7})
    void nearlyTiedWordsAsWell(double apart) {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            tie(model, apart);
            assertThat(assertIndependent(model, -1)).isGreaterThan(100);
        }
    }

    /** Otherwise the tests above would hold without any care. */
    @Test
    void batchesDoDifferInRounding() {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            tie(model, 1e-7);
            Generator generator = new Generator(model);
            answer(generator, asks(), 32, -1);
            assertThat(generator.largestError()).isGreaterThan(0).isLessThan(Generator.LEAST_ERROR / 10);
        }
    }

    @Test
    void clearWordsAreNotDecodedAgain() {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            Generator generator = new Generator(model);
            answer(generator, asks(), 32, 2);
            // The first row of the first batch measures the rounding.
            assertThat(generator.decodedAgain()).isBetween(1L, 4L);
        }
    }

    @Test
    void imagesAndPromptsShareWhatTheyHaveInCommon() {
        float[] a = TinyModels.image(1);
        float[] b = TinyModels.image(2);
        List<ImagePrompt> prompts = ImagePrompt.of(
                List.of(
                        new int[] {1, 4, IMAGE, 5, 6, 7},
                        new int[] {1, 4, IMAGE, 5, 6, IMAGE},
                        new int[] {1, 4, IMAGE, 5, 9},
                        new int[] {1, 4, IMAGE, 5, 6},
                        new int[] {1, 9, 3},
                        new int[] {1, 9}),
                List.of(a, a, b, b, a));
        SharedPrefixes beginnings = SharedPrefixes.of(prompts);
        assertThat(beginnings.rowOf()).containsExactly(0, 0, 1, 0, 2, 2);
        assertThat(beginnings.sequences().get(0).ids()).containsExactly(1, 4, IMAGE, 5);
        assertThat(beginnings.sequences().get(0).images()).containsExactly(a);
        assertThat(beginnings.sequences().get(1).ids()).containsExactly(1, 4, IMAGE, 5);
        assertThat(beginnings.sequences().get(2).ids()).containsExactly(1);
        assertThat(beginnings.rests(prompts).stream().map(ImagePrompt::ids))
                .containsExactly(
                        new int[] {6, 7},
                        new int[] {6, IMAGE},
                        new int[] {9},
                        new int[] {6},
                        new int[] {9, 3},
                        new int[] {9});
        assertThat(beginnings.rests(prompts).get(1).images()).containsExactly(b);
    }

    /** @return answers decoded again by all generators together */
    private static long assertIndependent(LlavaModel model, int stop) {
        List<Ask> asks = asks();
        List<int[]> wanted = answer(new Generator(model), asks, 1, stop);
        long again = 0;
        for (boolean sharing : new boolean[] {false, true}) {
            for (int batch : BATCHES) {
                Generator generator = new Generator(model, sharing);
                List<int[]> given = answer(generator, asks, batch, stop);
                for (int i = 0; i < asks.size(); i++) {
                    assertThat(given.get(i))
                            .as("question %d, batches of %d, sharing %s", i, batch, sharing)
                            .containsExactly(wanted.get(i));
                }
                again += generator.decodedAgain();
            }
        }
        return again;
    }

    private static List<int[]> answer(Generator generator, List<Ask> asks, int batch, int stop) {
        List<int[]> answers = new ArrayList<>();
        for (int from = 0; from < asks.size(); from += batch) {
            List<Ask> part = asks.subList(from, Math.min(from + batch, asks.size()));
            answers.addAll(generator.generate(
                    part.stream().map(Ask::ids).toList(),
                    part.stream().flatMap(ask -> ask.images().stream()).toList(),
                    GenerationOptions.greedy(4),
                    stop,
                    NOBODY));
        }
        return answers;
    }

    /** 34 questions of different lengths about 6 images, some about two, some about none. */
    private static List<Ask> asks() {
        SplittableRandom random = new SplittableRandom(3);
        List<float[]> images = random.longs(6).mapToObj(TinyModels::image).toList();
        List<Ask> asks = new ArrayList<>();
        for (int i = 0; i < 34; i++) {
            float[] image = images.get(i / 6);
            int[] question = random.ints(1 + random.nextInt(9), 3, 24).toArray();
            int[] ids = new int[question.length + 5];
            System.arraycopy(new int[] {1, 8, 9, IMAGE, 10}, 0, ids, 0, 5);
            System.arraycopy(question, 0, ids, 5, question.length);
            if (i % 11 == 5) {
                ids[ids.length - 1] = IMAGE;
                asks.add(new Ask(ids, List.of(image, images.get(5 - i / 6))));
            } else if (i % 11 == 7) {
                ids[3] = 11;
                asks.add(new Ask(ids, List.of()));
            } else {
                asks.add(new Ask(ids, List.of(image)));
            }
        }
        return asks;
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
