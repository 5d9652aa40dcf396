package io.llava4j.nano.pretrain;

import io.llava4j.model.LlamaModel;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Prompt;
import io.llava4j.text.SentencePieceTokenizer;
import io.llava4j.train.run.Truncation;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * A padded batch of texts with synthetic image tokens: the cells of a grid over a scene in place of the tokens that a
 * projector makes of an image. A cell is one token: the sum of its words' embeddings, scaled up and with noise, as a
 * projector's tokens are. A model that is trained on clean words alone represents each of them in a few dimensions, and
 * what it has learnt of words does not carry over to images.
 *
 * <p>A cell's sum is rotated by 90°, because no vision tower outputs embeddings of words: (x, y) becomes (-y, x), where x
 * and y are its halves. Without the rotation a word in a question resembles itself more than any cell, and attention that
 * looks for it among the cells finds the question.
 */
final class SyntheticBatch {
    /** Most words of a cell: a name, a color and a place of two. */
    private static final int MAX_WORDS = 4;

    /** Largest factor of a cell's sum. */
    private static final double MAX_SCALE = 3;

    /**
     * A text.
     *
     * @param id names the sample in messages
     * @param prompt with {@link Prompt#IMAGE_TOKEN_INDEX} in place of the cells
     * @param cells of its scene
     * @param seed of its noise
     */
    record Sample(String id, Prompt prompt, List<GridCell> cells, long seed) {
        /** Tokens, cells included. */
        int length() {
            return prompt.length() + prompt.imageCount() * (cells.size() - 1);
        }
    }

    private final List<Sample> samples;
    private final int longest;
    private final int hidden;
    /** Ids of the text, {@code [samples * longest]}; their weight is 1, or 0 at a cell. */
    private final long[] tokens;

    private final float[] isText;
    /** Ids of the cells' words, {@code [MAX_WORDS][samples * longest]}, with a weight for each; 0 where there is no word. */
    private final long[][] words;

    private final float[][] weights;
    /** Noise of the cells, {@code [samples * longest * hidden]}. */
    private final float[] noise;

    private final int[][] labels;

    /**
     * @param samples of similar length
     * @param tokenizer of the words; a cell uses the first piece of each
     * @param hidden width of an embedding
     * @param largestNoise standard deviation of the noise in the noisiest sample, before scaling
     */
    SyntheticBatch(List<Sample> samples, SentencePieceTokenizer tokenizer, int hidden, double largestNoise) {
        this.samples = samples;
        this.longest = samples.stream().mapToInt(Sample::length).max().orElse(0);
        this.hidden = hidden;
        int positions = samples.size() * longest;
        this.tokens = new long[positions];
        this.isText = new float[positions];
        this.words = new long[MAX_WORDS][positions];
        this.weights = new float[MAX_WORDS][positions];
        this.noise = new float[positions * hidden];
        this.labels = new int[samples.size()][longest];
        for (int i = 0; i < samples.size(); i++) {
            fill(i, samples.get(i), tokenizer, largestNoise);
        }
    }

    private void fill(int sequence, Sample sample, SentencePieceTokenizer tokenizer, double largestNoise) {
        Arrays.fill(labels[sequence], Prompt.IGNORE_INDEX);
        Prompt prompt = sample.prompt();
        int at = sequence * longest;
        for (int i = 0; i < prompt.length(); i++) {
            if (prompt.ids()[i] == Prompt.IMAGE_TOKEN_INDEX) {
                fillCells(at, sample, tokenizer, largestNoise);
                at += sample.cells().size();
            } else {
                tokens[at] = prompt.ids()[i];
                isText[at] = 1;
                labels[sequence][at - sequence * longest] = prompt.labels()[i];
                at++;
            }
        }
    }

    private void fillCells(int from, Sample sample, SentencePieceTokenizer tokenizer, double largestNoise) {
        SplittableRandom random = new SplittableRandom(sample.seed());
        double scale = random.nextDouble(1, MAX_SCALE);
        double deviation = scale * random.nextDouble() * largestNoise / Math.sqrt(2);
        // One part of the noise belongs to a thing: an unusual drawing is unusual in all of its cells.
        Map<Integer, float[]> noiseOfThings = new HashMap<>();
        // Another part is common to all cells, as a projector adds a common offset to every image token.
        float[] common = gaussian(scale * random.nextDouble() * largestNoise / Math.sqrt(2), random);
        int at = from;
        for (GridCell cell : sample.cells()) {
            List<String> cellWords = cell.words();
            for (int i = 0; i < cellWords.size(); i++) {
                words[i][at] = tokenizer.encode(cellWords.get(i))[0];
                weights[i][at] = (float) scale;
            }
            float[] shared = noiseOfThings.computeIfAbsent(cell.thing(), thing -> gaussian(deviation, random));
            float[] own = gaussian(deviation, random);
            for (int i = 0; i < hidden; i++) {
                noise[at * hidden + i] = common[i] + shared[i] + own[i];
            }
            at++;
        }
    }

    private float[] gaussian(double deviation, SplittableRandom random) {
        float[] values = new float[hidden];
        for (int i = 0; i < hidden; i++) {
            values[i] = (float) (random.nextGaussian() * deviation);
        }
        return values;
    }

    List<String> ids() {
        return samples.stream().map(Sample::id).toList();
    }

    /** {@code [samples][longest]}. */
    int[][] labels() {
        return labels;
    }

    Truncation truncation() {
        Truncation all = Truncation.NONE;
        for (Sample sample : samples) {
            all = all.plus(sample.prompt().truncatedTokens());
        }
        return all;
    }

    /** {@code [samples, longest, hidden]}. */
    Tensor embeds(LlamaModel languageModel) {
        Tensor like = languageModel.like();
        Tensor cells = Tensors.of(noise, samples.size(), longest, hidden).to(like.device(), like.scalar_type());
        for (int i = 0; i < MAX_WORDS; i++) {
            cells = cells.add(weighted(languageModel, words[i], weights[i]));
        }
        int half = hidden / 2;
        Tensor rotated = torch.cat(new TensorVector(cells.narrow(2, half, half).neg(), cells.narrow(2, 0, half)), 2);
        return rotated.add(weighted(languageModel, tokens, isText));
    }

    private Tensor weighted(LlamaModel languageModel, long[] ids, float[] factors) {
        Tensor like = languageModel.like();
        return languageModel
                .embed(Tensors.of(ids, samples.size(), longest).to(like.device(), torch.ScalarType.Long))
                .mul(Tensors.of(factors, samples.size(), longest, 1).to(like.device(), like.scalar_type()));
    }
}
