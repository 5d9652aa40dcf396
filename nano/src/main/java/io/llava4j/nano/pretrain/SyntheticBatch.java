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
 * A padded batch of texts in which fields of scenes stand for image rows. A field is one position: the sum of its words'
 * embeddings, louder than a word of text and seen through noise, for such are the rows a projector makes. A model that
 * has only met clean words reads each with a few numbers, others in each block, and what it has learnt of words does not
 * carry over to images.
 *
 * <p>A field's sum is turned by a quarter, as no tower speaks in embeddings of words: (x, y) becomes (-y, x), x and y
 * being the halves. Otherwise nothing would resemble a word in a question more than that word itself, and attention that
 * looks for it among the fields would find the question.
 */
final class SyntheticBatch {
    /** Words of a field at most: a name, a color and a place of two. */
    private static final int WORDS = 4;

    /** A field is up to this many times as loud as a word. */
    private static final double LOUDEST = 3;

    /**
     * A text.
     *
     * @param id told if something goes wrong with it
     * @param prompt in which {@link Prompt#IMAGE_TOKEN_INDEX} stands for the fields
     * @param fields of its scene
     * @param seed of its noise
     */
    record Sample(String id, Prompt prompt, List<SceneField> fields, long seed) {
        /** Positions, fields included. */
        int length() {
            return prompt.length() + prompt.imageCount() * (fields.size() - 1);
        }
    }

    private final List<Sample> samples;
    private final int longest;
    private final int hidden;
    /** Of the text, {@code [samples * longest]}; their weight is 1, or 0 where a field is. */
    private final long[] tokens;

    private final float[] isText;
    /** Of the fields, {@code [WORDS][samples * longest]}, with a weight for each; 0 where there is no word. */
    private final long[][] words;

    private final float[][] weights;
    /** Of the fields, {@code [samples * longest * hidden]}. */
    private final float[] noise;

    private final int[][] labels;

    /**
     * @param samples of like length
     * @param tokenizer of the words; a word is told by its first piece
     * @param hidden width of an embedding
     * @param largestNoise deviation of the noise in the noisiest sample, before a field is made louder
     */
    SyntheticBatch(List<Sample> samples, SentencePieceTokenizer tokenizer, int hidden, double largestNoise) {
        this.samples = samples;
        this.longest = samples.stream().mapToInt(Sample::length).max().orElse(0);
        this.hidden = hidden;
        int positions = samples.size() * longest;
        this.tokens = new long[positions];
        this.isText = new float[positions];
        this.words = new long[WORDS][positions];
        this.weights = new float[WORDS][positions];
        this.noise = new float[positions * hidden];
        this.labels = new int[samples.size()][longest];
        for (int row = 0; row < samples.size(); row++) {
            fill(row, samples.get(row), tokenizer, largestNoise);
        }
    }

    private void fill(int row, Sample sample, SentencePieceTokenizer tokenizer, double largestNoise) {
        Arrays.fill(labels[row], Prompt.IGNORE_INDEX);
        Prompt prompt = sample.prompt();
        int at = row * longest;
        for (int i = 0; i < prompt.length(); i++) {
            if (prompt.ids()[i] == Prompt.IMAGE_TOKEN_INDEX) {
                fields(at, sample, tokenizer, largestNoise);
                at += sample.fields().size();
            } else {
                tokens[at] = prompt.ids()[i];
                isText[at] = 1;
                labels[row][at - row * longest] = prompt.labels()[i];
                at++;
            }
        }
    }

    private void fields(int from, Sample sample, SentencePieceTokenizer tokenizer, double largestNoise) {
        SplittableRandom random = new SplittableRandom(sample.seed());
        double loudness = random.nextDouble(1, LOUDEST);
        double deviation = loudness * random.nextDouble() * largestNoise / Math.sqrt(2);
        // Half of this noise is a thing's own: an unusual drawing is unusual in all of its fields.
        Map<Integer, float[]> ofThings = new HashMap<>();
        // A projector adds much the same to every row besides, and that hides names from a model that has never met it.
        float[] common = gaussian(loudness * random.nextDouble() * largestNoise / Math.sqrt(2), random);
        int at = from;
        for (SceneField field : sample.fields()) {
            List<String> told = field.words();
            for (int i = 0; i < told.size(); i++) {
                words[i][at] = tokenizer.encode(told.get(i))[0];
                weights[i][at] = (float) loudness;
            }
            float[] shared = ofThings.computeIfAbsent(field.thing(), thing -> gaussian(deviation, random));
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

    Truncation cut() {
        Truncation cut = Truncation.NONE;
        for (Sample sample : samples) {
            cut = cut.plus(sample.prompt().truncatedTokens());
        }
        return cut;
    }

    /** {@code [samples, longest, hidden]}. */
    Tensor embeds(LlamaModel decoder) {
        Tensor like = decoder.like();
        Tensor fields = Tensors.of(noise, samples.size(), longest, hidden).to(like.device(), like.scalar_type());
        for (int i = 0; i < WORDS; i++) {
            fields = fields.add(weighted(decoder, words[i], weights[i]));
        }
        int half = hidden / 2;
        Tensor turned = torch.cat(new TensorVector(fields.narrow(2, half, half).neg(), fields.narrow(2, 0, half)), 2);
        return turned.add(weighted(decoder, tokens, isText));
    }

    private Tensor weighted(LlamaModel decoder, long[] ids, float[] factors) {
        Tensor like = decoder.like();
        return decoder.embed(Tensors.of(ids, samples.size(), longest).to(like.device(), torch.ScalarType.Long))
                .mul(Tensors.of(factors, samples.size(), longest, 1).to(like.device(), like.scalar_type()));
    }
}
