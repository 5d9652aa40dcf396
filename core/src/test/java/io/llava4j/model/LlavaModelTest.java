package io.llava4j.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.ConfigException;
import io.llava4j.DataException;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Prompt;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class LlavaModelTest {
    private static final int IMAGE = Prompt.IMAGE_TOKEN_INDEX;
    private static final int IGNORED = Prompt.IGNORE_INDEX;
    private static final int HIDDEN = 16;

    private static LlavaModel model;

    @BeforeAll
    static void build() {
        model = TinyModels.of(TinyModels.config(0, List.of()));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void spliceReplacesEachPlaceholderByTheTokensOfItsImage() {
        compute(() -> {
            ModelInput input = ModelInput.of(
                    List.of(new int[] {1, IMAGE, 5, IMAGE}, new int[] {1, 6}, new int[] {IMAGE, 7}),
                    null,
                    images(1, 2, 3));
            float[] tokens = Tensors.toFloats(packed(model.encode(input.images())));
            LlavaModel.Spliced spliced = model.assemble(input);
            assertThat(spliced.lengths()).containsExactly(10, 2, 5);
            assertThat(Tensors.shape(spliced.embeds())).containsExactly(3, 10, HIDDEN);
            float[] words = words();
            assertThat(Tensors.toFloats(spliced.embeds().select(0, 0)))
                    .containsExactly(join(word(words, 1), image(tokens, 0), word(words, 5), image(tokens, 1)));
            assertThat(Tensors.toFloats(spliced.embeds().select(0, 1)))
                    .containsExactly(join(word(words, 1), word(words, 6), new float[8 * HIDDEN]));
            assertThat(Tensors.toFloats(spliced.embeds().select(0, 2)))
                    .containsExactly(join(image(tokens, 2), word(words, 7), new float[5 * HIDDEN]));
            return null;
        });
    }

    /** The second image is shown twice, and the first not at all. */
    @Test
    void imagesMayHaveDifferentNumbersOfTokens() {
        compute(() -> {
            float[] values = new float[6 * HIDDEN];
            for (int i = 0; i < values.length; i++) {
                values[i] = i;
            }
            ImageTokens tokens = new ImageTokens(Tensors.of(values, 6, HIDDEN), new int[] {1, 3, 0, 2});
            ModelInput input = new ModelInput(
                    List.of(new int[] {1, IMAGE, 5}, new int[] {IMAGE, 6, IMAGE, IMAGE, 7}),
                    List.of(new int[] {IGNORED, IGNORED, 5}, new int[] {IGNORED, 6, IGNORED, IGNORED, 7}),
                    images(1, 2, 3, 4),
                    new int[] {1, 3, 2, 1});
            LlavaModel.Spliced spliced = model.assemble(input, tokens);
            float[] words = words();
            float[] second = Arrays.copyOfRange(values, HIDDEN, 4 * HIDDEN);
            float[] fourth = Arrays.copyOfRange(values, 4 * HIDDEN, 6 * HIDDEN);
            assertThat(spliced.lengths()).containsExactly(5, 7);
            assertThat(Tensors.toFloats(spliced.embeds().select(0, 0)))
                    .containsExactly(join(word(words, 1), second, word(words, 5), new float[2 * HIDDEN]));
            assertThat(Tensors.toFloats(spliced.embeds().select(0, 1)))
                    .containsExactly(join(fourth, word(words, 6), second, word(words, 7)));
            assertThat(spliced.labels()[0]).containsExactly(IGNORED, IGNORED, IGNORED, IGNORED, 5, IGNORED, IGNORED);
            assertThat(spliced.labels()[1]).containsExactly(IGNORED, IGNORED, 6, IGNORED, IGNORED, IGNORED, 7);
            return null;
        });
    }

    /** Feature by feature and sequence by sequence, as the splice is described, against one call. */
    @Test
    void forwardComputesWhatItsPartsCompute() {
        compute(() -> {
            List<PreparedImage> images = images(1, 2);
            List<int[]> ids = List.of(new int[] {1, IMAGE, 5, IMAGE}, new int[] {1, 6, 7});
            Tensor tokens = model.projector().forward(model.visionTower().features(model.pixels(images)));
            LlamaModel languageModel = model.llama();
            Tensor first = Tensors.cat(
                    0, embed(1).select(0, 0), tokens.select(0, 0), embed(5).select(0, 0), tokens.select(0, 1));
            Tensor second = Tensors.cat(0, embed(1, 6, 7).select(0, 0), Tensors.of(new float[7 * HIDDEN], 7, HIDDEN));
            Tensor embeds = Tensors.cat(0, first, second).view(2, 10, HIDDEN);
            float[] hidden = Tensors.toFloats(languageModel.hiddenStates(embeds));

            ModelInput input = ModelInput.of(ids, null, images);
            assertThat(Tensors.toFloats(model.assemble(input).embeds())).containsExactly(Tensors.toFloats(embeds));
            assertThat(Tensors.toFloats(model.forward(input).hidden())).containsExactly(hidden);
            for (boolean checkpointing : new boolean[] {false, true}) {
                assertThat(Tensors.toFloats(model.train(input, new LlavaModel.TrainingMode(checkpointing, false, 0))
                                .pass()
                                .hidden()))
                        .containsExactly(hidden);
            }
            return null;
        });
    }

    @Test
    void imagesAndPaddingAreNotSupervised() {
        int[][] labels = compute(() -> model.assemble(ModelInput.of(
                        List.of(new int[] {1, IMAGE, 5, 6}, new int[] {1, 7}),
                        List.of(new int[] {IGNORED, IGNORED, 5, 6}, new int[] {IGNORED, 7}),
                        images(1)))
                .labels());
        assertThat(labels[0]).containsExactly(IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, 5, 6);
        assertThat(labels[1]).containsExactly(IGNORED, 7, IGNORED, IGNORED, IGNORED, IGNORED, IGNORED);
    }

    @Test
    void sequencesAreTruncatedOnTheRightEvenWithinAnImage() {
        try (LlavaModel truncating = TinyModels.of(TinyModels.config(6, List.of()))) {
            compute(() -> {
                ModelInput input = ModelInput.of(
                        List.of(new int[] {1, 5, 6, IMAGE, 7}, new int[] {1, IMAGE, 8, 9}),
                        List.of(new int[] {IGNORED, 5, 6, IGNORED, 7}, new int[] {IGNORED, IGNORED, 8, 9}),
                        images(1, 2));
                float[] tokens = Tensors.toFloats(packed(truncating.encode(input.images())));
                LlavaModel.Spliced spliced = truncating.assemble(input);
                assertThat(spliced.lengths()).containsExactly(6, 6);
                assertThat(spliced.labels()[0]).containsExactly(IGNORED, 5, 6, IGNORED, IGNORED, IGNORED);
                assertThat(spliced.labels()[1]).containsExactly(IGNORED, IGNORED, IGNORED, IGNORED, IGNORED, 8);
                // The second sequence has its own image, though part of the first one's was truncated.
                float[] second = Tensors.toFloats(spliced.embeds().select(0, 1));
                assertThat(Arrays.copyOfRange(second, HIDDEN, 5 * HIDDEN)).containsExactly(image(tokens, 1));
                return null;
            });
        }
    }

    @Test
    void placeholdersAndImagesMustMatch() {
        assertThatThrownBy(() ->
                        compute(() -> model.assemble(ModelInput.of(List.of(new int[] {1, IMAGE}), null, List.of()))))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("1 image placeholders for 0 images");
        assertThatThrownBy(() ->
                        compute(() -> model.assemble(ModelInput.of(List.of(new int[] {1, 5}), null, images(1)))))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("0 image placeholders for 1 images");
    }

    /** Also with grouped-query attention: two query heads share a key head. */
    @Test
    void readingInChunksGivesTheLogitsOfReadingAtOnce() {
        LlamaModel languageModel = model.llama();
        int[][] sequences = {{1, 3, 4, 5, 6, 7, 8, 9}, {1, 9, 8, 7, 6, 5}};
        compute(() -> {
            float[][] whole = new float[2][];
            for (int i = 0; i < 2; i++) {
                whole[i] = Tensors.toFloats(languageModel.logits(languageModel.hiddenStates(embed(sequences[i]))));
            }
            try (KvCache cache = new KvCache(languageModel.config(), 2, 8, languageModel.like())) {
                // 4 and 2 tokens at first, then 3 of each, then the last of each.
                assertChunk(cache, new int[][] {{1, 3, 4, 5}, {1, 9}}, whole);
                assertChunk(cache, new int[][] {{6, 7, 8}, {8, 7, 6}}, whole);
                assertChunk(cache, new int[][] {{9}, {5}}, whole);
                assertThat(cache.length(0)).isEqualTo(8);
                assertThat(cache.length(1)).isEqualTo(6);
            }
            return null;
        });
    }

    private static void assertChunk(KvCache cache, int[][] chunks, float[][] whole) {
        LlamaModel languageModel = model.llama();
        int tokens = Math.max(chunks[0].length, chunks[1].length);
        int vocabulary = languageModel.config().vocabSize();
        int[] ids = new int[2 * tokens];
        int[] before = {cache.length(0), cache.length(1)};
        for (int i = 0; i < 2; i++) {
            System.arraycopy(chunks[i], 0, ids, i * tokens, chunks[i].length);
        }
        Tensor embeds = languageModel.embed(Tensors.ofInts(ids, 2, tokens));
        float[] logits = Tensors.toFloats(languageModel.logits(
                languageModel.hiddenStates(embeds, new int[] {chunks[0].length, chunks[1].length}, cache)));
        for (int i = 0; i < 2; i++) {
            int length = chunks[i].length * vocabulary;
            int from = i * tokens * vocabulary;
            assertThat(Arrays.copyOfRange(logits, from, from + length))
                    .containsExactly(
                            Arrays.copyOfRange(whole[i], before[i] * vocabulary, before[i] * vocabulary + length),
                            within(1e-5f));
        }
    }

    @Test
    void featuresAreTheSelectedHiddenState() {
        for (List<Integer> stem : List.of(List.<Integer>of(), List.of(8, 8, 16))) {
            try (LlavaModel own = TinyModels.of(TinyModels.config(0, stem))) {
                compute(() -> {
                    VisionConfig config = own.config().vision();
                    Tensor pixels = own.pixels(images(4, 5));
                    List<Tensor> states = new ClipVisionTower(config, own.weights()).hiddenStates(pixels);
                    assertThat(states).hasSize(4);
                    Tensor chosen = states.get(config.layers() - 1);
                    assertThat(Tensors.shape(chosen)).containsExactly(2, TinyModels.PATCHES + 1, HIDDEN);
                    assertThat(own.visionTower().tokensPerImage()).isEqualTo(TinyModels.PATCHES);
                    assertThat(Tensors.toFloats(own.visionTower().features(pixels)))
                            .containsExactly(Tensors.toFloats(chosen.narrow(1, 1, TinyModels.PATCHES)));
                    VisionTower withCls = new ClipVisionTower(config, own.weights(), -2, true);
                    assertThat(withCls.tokensPerImage()).isEqualTo(TinyModels.PATCHES + 1);
                    assertThat(Tensors.toFloats(withCls.features(pixels))).containsExactly(Tensors.toFloats(chosen));
                    assertThatThrownBy(() -> new ClipVisionTower(config, own.weights(), -5, false))
                            .isInstanceOf(ConfigException.class)
                            .hasMessageContaining("select-layer -5");
                    return null;
                });
            }
        }
    }

    private static Tensor embed(int... ids) {
        return model.languageModel().embed(Tensors.ofInts(ids, 1, ids.length));
    }

    private static List<PreparedImage> images(long... seeds) {
        return Arrays.stream(seeds).mapToObj(TinyModels::image).toList();
    }

    private static Tensor packed(ImageTokens images) {
        return Objects.requireNonNull(images.packed());
    }

    private static float[] words() {
        return Tensors.toFloats(model.weights().get("model.embed_tokens.weight"));
    }

    private static float[] word(float[] table, int id) {
        return Arrays.copyOfRange(table, id * HIDDEN, (id + 1) * HIDDEN);
    }

    private static float[] image(float[] tokens, int index) {
        int size = TinyModels.PATCHES * HIDDEN;
        return Arrays.copyOfRange(tokens, index * size, (index + 1) * size);
    }

    private static float[] join(float[]... parts) {
        float[] all = new float[0];
        for (float[] part : parts) {
            int at = all.length;
            all = Arrays.copyOf(all, at + part.length);
            System.arraycopy(part, 0, all, at, part.length);
        }
        return all;
    }

    private static <T extends @Nullable Object> T compute(Supplier<T> work) {
        return Engine.inference("a test", work);
    }
}
