package io.llava4j.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.DataException;
import io.llava4j.generate.session.DecodingSession;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.LlavaModel;
import io.llava4j.model.TinyModels;
import io.llava4j.tensor.Engine;
import io.llava4j.text.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class GeneratorTest {
    private static final int IMAGE = Prompt.IMAGE_TOKEN_INDEX;
    private static final Generator.Observer NOBODY = (sequence, id) -> true;

    private static LlavaModel model;
    private static Generator generator;

    @BeforeAll
    static void build() {
        model = TinyModels.of(TinyModels.config(0, List.of()));
        generator = new Generator(model);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void aBatchAnswersAsEachPromptAlone() {
        List<int[]> prompts = List.of(
                new int[] {1, IMAGE, 5, 6, 7, 8},
                new int[] {1, 9},
                new int[] {1, 4, IMAGE, 3, IMAGE, 10, 11},
                new int[] {IMAGE, 12, 13, 14, 15, 16, 17});
        List<PreparedImage> images = images(1, 2, 3, 4);
        List<List<PreparedImage>> own =
                List.of(images.subList(0, 1), List.of(), images.subList(1, 3), images.subList(3, 4));
        for (GenerationOptions options :
                List.of(GenerationOptions.greedy(9), new GenerationOptions(9, 0.8, 0.9, 12, 1.2, 5))) {
            List<int[]> together = generator.generate(prompts, images, options, Set.of(2), NOBODY);
            for (int i = 0; i < prompts.size(); i++) {
                assertThat(together.get(i))
                        .as("prompt %d", i)
                        .containsExactly(one(prompts.get(i), own.get(i), options, 2));
            }
        }
    }

    @Test
    void aLongNeighbourDoesNotShortenAnAnswer() {
        int[] nearTheEnd = new int[TinyModels.POSITIONS - 2];
        Arrays.fill(nearTheEnd, 5);
        int[] brief = {1, 9};
        List<int[]> together = generator.generate(
                List.of(brief, nearTheEnd), List.of(), GenerationOptions.greedy(12), Set.of(), NOBODY);
        assertThat(together.get(0))
                .hasSize(12)
                .containsExactly(one(brief, List.of(), GenerationOptions.greedy(12), -1));
        assertThat(together.get(1))
                .hasSize(2)
                .containsExactly(one(nearTheEnd, List.of(), GenerationOptions.greedy(12), -1));
    }

    @Test
    void theSameSeedDrawsTheSameAnswer() {
        int[] prompt = {1, IMAGE, 5};
        List<int[]> answers = new ArrayList<>();
        for (long seed : new long[] {11, 11, 12}) {
            answers.add(one(prompt, images(1), new GenerationOptions(20, 1.5, 1, 0, 1, seed), -1));
        }
        assertThat(answers.get(0)).hasSize(20).containsExactly(answers.get(1));
        assertThat(answers.get(2)).isNotEqualTo(answers.get(0));
    }

    @Test
    void endsAfterTheStopIdOrAtTheGivenLength() {
        int[] prompt = {1, 5, 6};
        GenerationOptions options = new GenerationOptions(20, 1.5, 1, 0, 1, 3);
        int[] free = one(prompt, List.of(), options, -1);
        assertThat(free).hasSize(20);
        int stop = free[6];
        int first = 0;
        while (free[first] != stop) {
            first++;
        }
        assertThat(one(prompt, List.of(), options, stop)).containsExactly(Arrays.copyOf(free, first + 1));
        assertThat(one(prompt, List.of(), GenerationOptions.greedy(1), -1)).hasSize(1);
        assertThat(generator.generate(List.of(), List.of(), options, Set.of(2), NOBODY))
                .isEmpty();
    }

    @Test
    void anObserverSeesEveryTokenAndMayEndAnAnswer() {
        List<Integer> seen = new ArrayList<>();
        Generator.Observer observer = (sequence, id) -> {
            if (sequence == 0) {
                seen.add(id);
            }
            return sequence == 1 || seen.size() < 3;
        };
        List<int[]> answers = generator.generate(
                List.of(new int[] {1, 5}, new int[] {1, 6, 7}),
                List.of(),
                GenerationOptions.greedy(8),
                Set.of(),
                observer);
        assertThat(answers.get(0))
                .hasSize(3)
                .containsExactly(seen.stream().mapToInt(i -> i).toArray());
        assertThat(answers.get(1)).hasSize(8);
    }

    @Test
    void oneImageInSeveralPromptsAnswersAsCopiesOfIt() {
        PreparedImage image = TinyModels.image(1);
        List<int[]> prompts = List.of(new int[] {1, IMAGE, 5, IMAGE}, new int[] {1, IMAGE, 6});
        PreparedImage other = TinyModels.image(2);
        GenerationOptions options = GenerationOptions.greedy(10);
        List<float[]> first = firstLogits(prompts, List.of(image, other, image));
        List<float[]> copies = firstLogits(
                prompts, List.of(image, other, PreparedImage.of(image.pixels().clone())));
        for (int i = 0; i < prompts.size(); i++) {
            assertThat(first.get(i)).containsExactly(copies.get(i), within(1e-5f));
        }
        assertThat(generator.generate(prompts, List.of(image, other, image), options, Set.of(2), NOBODY))
                .usingRecursiveComparison()
                .isEqualTo(generator.generate(
                        prompts,
                        List.of(image, other, PreparedImage.of(image.pixels().clone())),
                        options,
                        Set.of(2),
                        NOBODY));
    }

    @Test
    void anotherImageGivesOtherLogits() {
        int[] prompt = {1, IMAGE, 5};
        assertThat(firstLogits(List.of(prompt), images(1)).getFirst())
                .isNotEqualTo(firstLogits(List.of(prompt), images(2)).getFirst());
    }

    @Test
    void refusesImagesThatDoNotMatchAndPromptsThatAreTooLong() {
        GenerationOptions options = GenerationOptions.greedy(4);
        assertThatThrownBy(() -> one(new int[] {1, IMAGE}, List.of(), options, 2))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("1 image placeholders for 0 images");
        assertThatThrownBy(() -> one(new int[] {1, 5}, images(1), options, 2))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("0 image placeholders for 1 images");
        assertThatThrownBy(() -> one(new int[] {1, IMAGE}, List.of(PreparedImage.of(new float[12])), options, 2))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("12 values");
        int[] endless = new int[TinyModels.POSITIONS - 3];
        Arrays.fill(endless, 5);
        endless[3] = IMAGE;
        assertThatThrownBy(() -> one(endless, images(1), options, 2))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("the prompt has 40 tokens, image tokens included, but the model reads 39");
    }

    @Test
    void aPromptBeyondTheSequenceLengthIsTruncatedAsInTheReference() {
        try (LlavaModel truncating = TinyModels.of(TinyModels.config(6, List.of()))) {
            Generator truncator = new Generator(truncating);
            GenerationOptions options = GenerationOptions.greedy(7);
            int[] whole = new int[50];
            Arrays.fill(whole, 5);
            whole[1] = IMAGE;
            assertThat(truncator
                            .generate(List.of(whole), images(1), options, Set.of(), NOBODY)
                            .getFirst())
                    .hasSize(7)
                    .containsExactly(one(new int[] {5, IMAGE, 5}, images(1), options, -1));
        }
    }

    @Test
    void repeatedCallsLeakNoNativeMemory() {
        GenerationOptions options = GenerationOptions.greedy(6);
        List<int[]> prompts = List.of(new int[] {1, IMAGE, 5}, new int[] {1, 6});
        for (int i = 0; i < 5; i++) {
            generator.generate(prompts, images(1), options, Set.of(), NOBODY);
        }
        System.gc();
        long objects = Pointer.totalCount();
        for (int i = 0; i < 50; i++) {
            generator.generate(prompts, images(1), options, Set.of(), NOBODY);
        }
        assertThat(Pointer.totalCount() - objects).isLessThanOrEqualTo(50);
    }

    /** Logits of every prompt's first token. */
    private static List<float[]> firstLogits(List<int[]> prompts, List<PreparedImage> images) {
        return Engine.inference("a test", () -> {
            try (DecodingSession session = new DecodingSession(model, ImagePrompt.of(prompts, images), null)) {
                return IntStream.range(0, prompts.size())
                        .mapToObj(session::logits)
                        .toList();
            }
        });
    }

    private static int[] one(int[] prompt, List<PreparedImage> images, GenerationOptions options, int stop) {
        return generator
                .generate(List.of(prompt), images, options, Set.of(stop), NOBODY)
                .getFirst();
    }

    private static List<PreparedImage> images(long... seeds) {
        return Arrays.stream(seeds).mapToObj(TinyModels::image).toList();
    }
}
