package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.generate.session.SharedPrefixes;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.model.cpu.CpuModels;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers are the same token ids in every batch, whether or not shared prefixes are read once. */
class BatchIndependenceTest {
    private static final int IMAGE = Prompt.IMAGE_TOKEN_INDEX;
    private static final Generator.Observer NOBODY = (sequence, id) -> true;
    private static final int[] BATCHES = {1, 2, 7, 32};

    private record Request(int[] ids, List<float[]> images) {}

    @Test
    void anyBatchAndSharingGivesTheSameIds() {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            assertIndependent(model, 2);
        }
    }

    /** On the CPU kernels no sequence is ever re-decoded: logits are the same to the last bit. */
    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F16"})
    void onTheCpuKernelsNothingIsRedecoded(DType kvType) {
        try (LlavaModel model = CpuModels.of(TinyModels.config(0, List.of()), kvType)) {
            assertThat(assertIndependent(model, 2)).isZero();
        }
    }

    /** A conversation about an image, and another question about it: each reads only what is new, and answers the same. */
    @Test
    void whatTheLastPromptReadIsNotReadAgain() {
        try (LlavaModel model = CpuModels.of(TinyModels.config(0, List.of()), DType.F16);
                Generator remembering = new Generator(model)) {
            int[] question = {1, 4, IMAGE, 5, 6, 7};
            int[] first = ask(remembering, question, TinyModels.image(1));
            assertThat(remembering.reusedTokens()).isZero();
            int[] turn = {1, 4, IMAGE, 5, 6, 7, first[0], first[1], 9, 10};
            int[] second = ask(remembering, turn, TinyModels.image(1));
            assertThat(remembering.reusedTokens()).isEqualTo(7 + TinyModels.PATCHES);
            int[] other = {1, 4, IMAGE, 5, 11, 7};
            int[] third = ask(remembering, other, TinyModels.image(1));
            assertThat(remembering.reusedTokens()).isEqualTo(7 + TinyModels.PATCHES + 3 + TinyModels.PATCHES);
            int[] fourth = ask(remembering, other, TinyModels.image(2));
            assertThat(remembering.reusedTokens()).isEqualTo(7 + TinyModels.PATCHES + 3 + TinyModels.PATCHES + 2);
            for (int[][] asked : new int[][][] {{question, first}, {turn, second}, {other, third}}) {
                assertThat(ask(new Generator(model, false), asked[0], TinyModels.image(1)))
                        .containsExactly(asked[1]);
            }
            assertThat(ask(new Generator(model, false), other, TinyModels.image(2)))
                    .containsExactly(fourth);
        }
    }

    private static int[] ask(Generator generator, int[] prompt, float[] image) {
        return generator
                .generate(List.of(prompt), List.of(image), GenerationOptions.greedy(4), Set.of(-1), NOBODY)
                .getFirst();
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
            answer(generator, requests(), 32, -1);
            assertThat(generator.largestError()).isGreaterThan(0).isLessThan(Generator.MIN_ERROR / 10);
        }
    }

    @Test
    void answersWithoutNearTiesAreNotRedecoded() {
        try (LlavaModel model = TinyModels.of(TinyModels.config(0, List.of()))) {
            Generator generator = new Generator(model);
            answer(generator, requests(), 32, 2);
            // The first sequence of the first batch measures the rounding.
            assertThat(generator.redecodedAlone()).isBetween(1L, 4L);
        }
    }

    @Test
    void promptsShareThePrefixUpToTheFirstDifference() {
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
        List<Request> requests = requests();
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

    private static List<int[]> answer(Generator generator, List<Request> requests, int batch, int stop) {
        List<int[]> answers = new ArrayList<>();
        for (int from = 0; from < requests.size(); from += batch) {
            List<Request> part = requests.subList(from, Math.min(from + batch, requests.size()));
            answers.addAll(generator.generate(
                    part.stream().map(Request::ids).toList(),
                    part.stream().flatMap(request -> request.images().stream()).toList(),
                    GenerationOptions.greedy(4),
                    Set.of(stop),
                    NOBODY));
        }
        return answers;
    }

    /** 34 questions of different lengths about 6 images, some about two, some about none. */
    private static List<Request> requests() {
        SplittableRandom random = new SplittableRandom(3);
        List<float[]> images = random.longs(6).mapToObj(TinyModels::image).toList();
        List<Request> requests = new ArrayList<>();
        for (int i = 0; i < 34; i++) {
            float[] image = images.get(i / 6);
            int[] question = random.ints(1 + random.nextInt(9), 3, 24).toArray();
            int[] ids = new int[question.length + 5];
            System.arraycopy(new int[] {1, 8, 9, IMAGE, 10}, 0, ids, 0, 5);
            System.arraycopy(question, 0, ids, 5, question.length);
            if (i % 11 == 5) {
                ids[ids.length - 1] = IMAGE;
                requests.add(new Request(ids, List.of(image, images.get(5 - i / 6))));
            } else if (i % 11 == 7) {
                ids[3] = 11;
                requests.add(new Request(ids, List.of()));
            } else {
                requests.add(new Request(ids, List.of(image)));
            }
        }
        return requests;
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
