package io.llava4j.nano.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.llava4j.generate.ModelLoader;
import io.llava4j.model.LlamaModel;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Prompt;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.recipe.Objectives;
import io.llava4j.train.run.TinyRun;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SyntheticBatchTest {
    @TempDir
    static Path folder;

    private static TinyRun tiny;
    private static SentencePieceTokenizer tokenizer;

    /** A plain cell, a dyed one, and a background. */
    private static final List<GridCell> CELLS = List.of(
            new GridCell(0, "thing", null, "a"),
            new GridCell(1, "thing", "red", "a thing"),
            new GridCell(GridCell.BACKGROUND, "blue", null, "a"));

    @BeforeAll
    static void write() {
        tiny = new TinyRun(folder);
        tokenizer = SentencePieceTokenizer.load(tiny.language());
    }

    @Test
    void aCellIsOnePositionThatSumsItsWordsAndIsRotated() {
        SyntheticBatch batch = batch(0);
        assertThat(batch.labels()).isDeepEqualTo(new int[][] {
            {-100, -100, -100, -100, 7, 8},
            {-100, 9, -100, -100, -100, -100}
        });
        float[][] rows = embeds(batch);
        float[] text = embedding(8);
        assertThat(rows[5]).containsExactly(text, within(1e-6f));
        float[] thing = embedding(tokenizer.encode("thing")[0]);
        float[] red = embedding(tokenizer.encode("red")[0]);
        float[] place = embedding(tokenizer.encode("a")[0]);
        int half = thing.length / 2;
        float scale = rows[1][half] / (thing[0] + place[0]);
        assertThat(scale).isBetween(1f, 3f);
        float product = 0;
        for (int i = 0; i < thing.length; i++) {
            int to = i < half ? i + half : i - half;
            float sign = i < half ? scale : -scale;
            assertThat(rows[1][to]).isEqualTo(sign * (thing[i] + place[i]), within(1e-4f));
            assertThat(rows[2][to]).isEqualTo(sign * (2 * thing[i] + red[i] + place[i]), within(1e-4f));
            product += rows[1][i] * (thing[i] + place[i]);
        }
        assertThat(product).as("a cell does not resemble its words").isEqualTo(0, within(1e-4f));
        // padding after the shorter text
        assertThat(rows[6 + 5]).containsExactly(new float[rows[0].length], within(0f));
    }

    @Test
    void noiseIsOnCellsOnlyAndTheSameEveryTime() {
        float[][] clean = embeds(batch(0));
        float[][] noisy = embeds(batch(1));
        assertThat(noisy).isDeepEqualTo(embeds(batch(1)));
        assertThat(noisy[0]).containsExactly(clean[0]);
        assertThat(noisy[5]).containsExactly(clean[5]);
        for (int cell = 1; cell <= 3; cell++) {
            assertThat(noisy[cell]).isNotEqualTo(clean[cell]);
        }
    }

    @Test
    void aThirdOfTheNoiseIsCommonToAllCellsOfASample() {
        int count = 6;
        List<GridCell> cells = IntStream.range(0, count)
                .mapToObj(thing -> new GridCell(thing, "thing", null, "a"))
                .toList();
        Prompt prompt = new Prompt(new int[] {Prompt.IMAGE_TOKEN_INDEX}, new int[] {Prompt.IGNORE_INDEX});
        List<SyntheticBatch.Sample> samples = IntStream.range(0, 200)
                .mapToObj(seed -> new SyntheticBatch.Sample("a", prompt, cells, seed))
                .toList();
        float[][] clean = embeds(new SyntheticBatch(samples, tokenizer, 16, 0));
        float[][] noisy = embeds(new SyntheticBatch(samples, tokenizer, 16, 3));
        double squares = 0;
        double products = 0;
        for (int row = 0; row < clean.length; row++) {
            int sample = row / count * count;
            for (int other = sample; other < sample + count; other++) {
                for (int i = 0; i < 16; i++) {
                    double product = (noisy[row][i] - clean[row][i]) * (noisy[other][i] - clean[other][i]);
                    squares += row == other ? product : 0;
                    products += row == other ? 0 : product;
                }
            }
        }
        assertThat(products / (count - 1) / squares).isEqualTo(1 / 3.0, within(0.1));
    }

    private static SyntheticBatch batch(double noise) {
        Prompt described = new Prompt(
                new int[] {1, Prompt.IMAGE_TOKEN_INDEX, 7, 8},
                new int[] {Prompt.IGNORE_INDEX, Prompt.IGNORE_INDEX, 7, 8});
        Prompt text = new Prompt(new int[] {1, 9}, new int[] {Prompt.IGNORE_INDEX, 9});
        return new SyntheticBatch(
                List.of(
                        new SyntheticBatch.Sample("a", described, CELLS, 5),
                        new SyntheticBatch.Sample("b", text, List.of(), 6)),
                tokenizer,
                16,
                noise);
    }

    private static float[][] embeds(SyntheticBatch batch) {
        float[] all = withLanguageModel(languageModel -> Tensors.toFloats(batch.embeds(languageModel)));
        float[][] rows = new float[all.length / 16][16];
        for (int i = 0; i < all.length; i++) {
            rows[i / 16][i % 16] = all[i];
        }
        return rows;
    }

    private static float[] embedding(int id) {
        return withLanguageModel(
                languageModel -> Tensors.toFloats(languageModel.embed(Tensors.of(new long[] {id}, 1))));
    }

    private static float[] withLanguageModel(Function<LlamaModel, float[]> use) {
        ModelLoader.Loaded start = Objectives.start(tiny.recipe("finetune", "plain", "words", Map.of()));
        try (LlavaModel model = start.model()) {
            return Engine.inference("embeddings", () -> use.apply(model.llama()));
        }
    }
}
