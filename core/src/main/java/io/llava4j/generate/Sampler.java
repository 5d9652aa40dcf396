package io.llava4j.generate;

import io.llava4j.LlavaException;
import java.util.SplittableRandom;

/**
 * Chooses the next token (docs/reference/model.md#generation): repetition penalty, temperature, top-k, top-p, in this
 * order, as the transformers library applies them. Each answer has a sampler of its own, so that it does not depend on its
 * batch.
 */
public final class Sampler {
    private final GenerationOptions options;
    private final SplittableRandom random;

    /** @param options decoding options; their seed fixes the choices */
    public Sampler(GenerationOptions options) {
        this.options = options;
        this.random = new SplittableRandom(options.seed());
    }

    /**
     * The next token: the first of the highest logits at temperature 0, otherwise drawn from {@link #probabilities}.
     *
     * @param logits one per token id, not changed
     * @param previousIds prompt and answer so far, for the repetition penalty; placeholders below 0 are skipped
     * @throws LlavaException if no logit is usable or one is NaN
     */
    public int sample(float[] logits, int[] previousIds) {
        if (options.temperature() == 0) {
            return argmax(penalised(logits, previousIds, options.repetitionPenalty()));
        }
        double[] probabilities = probabilities(logits, previousIds, options);
        double left = random.nextDouble();
        int last = -1;
        for (int id = 0; id < probabilities.length; id++) {
            if (probabilities[id] > 0) {
                last = id;
                left -= probabilities[id];
                if (left < 0) {
                    return id;
                }
            }
        }
        // The probabilities may sum to a little less than 1.
        return last;
    }

    /**
     * Whether the two best tokens are so close at temperature 0 that errors in the logits could exchange them.
     *
     * @param logits one per token id, not changed
     * @param previousIds as in {@link #sample}
     * @param error largest error of a logit, relative to the largest magnitude among them
     */
    boolean isNearTie(float[] logits, int[] previousIds, double error) {
        float[] scores = penalised(logits, previousIds, options.repetitionPenalty());
        int best = argmax(scores);
        double largest = 0;
        double second = Double.NEGATIVE_INFINITY;
        for (int id = 0; id < scores.length; id++) {
            if (Float.isFinite(logits[id])) {
                largest = Math.max(largest, Math.abs(logits[id]));
            }
            if (id != best) {
                second = Math.max(second, scores[id]);
            }
        }
        // The penalty scales errors as it scales logits.
        double scale = Math.max(options.repetitionPenalty(), 1 / options.repetitionPenalty());
        return !(scores[best] - second > 2 * error * largest * scale);
    }

    /**
     * Probability of every token after all filters; tokens that are filtered out have exactly 0. At temperature 0 the
     * first of the highest logits has 1.
     *
     * @param logits one per token id, not changed
     * @param previousIds prompt and answer so far; placeholders below 0 are skipped
     * @param options decoding options
     */
    public static double[] probabilities(float[] logits, int[] previousIds, GenerationOptions options) {
        float[] scores = penalised(logits, previousIds, options.repetitionPenalty());
        if (options.temperature() == 0) {
            return certain(scores.length, argmax(scores));
        }
        int best = argmax(scores);
        if (Float.isFinite(scores[best]) && !Float.isFinite(scores[best] / (float) options.temperature())) {
            // Beyond the range of floats the likeliest token has all the probability, as in the limit.
            return certain(scores.length, best);
        }
        for (int id = 0; id < scores.length; id++) {
            scores[id] /= (float) options.temperature();
        }
        if (options.topK() > 0 && options.topK() < scores.length) {
            TokenFilters.keepTop(scores, options.topK());
        }
        if (options.topP() < 1) {
            TokenFilters.keepNucleus(scores, options.topP());
        }
        return softmax(scores);
    }

    private static double[] certain(int tokens, int id) {
        double[] probabilities = new double[tokens];
        probabilities[id] = 1;
        return probabilities;
    }

    private static float[] penalised(float[] logits, int[] previousIds, double penalty) {
        for (float logit : logits) {
            if (Float.isNaN(logit)) {
                throw damaged("logits that are not numbers");
            }
        }
        float[] scores = logits.clone();
        if (penalty != 1) {
            for (int id : previousIds) {
                if (id >= 0 && id < scores.length) {
                    // From the logit, not from the score: an id that occurs twice is penalised once.
                    scores[id] = logits[id] < 0 ? logits[id] * (float) penalty : logits[id] / (float) penalty;
                }
            }
        }
        return scores;
    }

    private static int argmax(float[] scores) {
        int best = 0;
        for (int id = 1; id < scores.length; id++) {
            if (scores[id] > scores[best]) {
                best = id;
            }
        }
        return best;
    }

    static double[] softmax(float[] scores) {
        float highest = scores[argmax(scores)];
        if (Float.isInfinite(highest)) {
            throw damaged("no finite logit");
        }
        double[] probabilities = new double[scores.length];
        double sum = 0;
        for (int id = 0; id < scores.length; id++) {
            probabilities[id] = Math.exp((double) scores[id] - highest);
            sum += probabilities[id];
        }
        for (int id = 0; id < scores.length; id++) {
            probabilities[id] /= sum;
        }
        return probabilities;
    }

    private static LlavaException damaged(String computed) {
        return new LlavaException(
                "the model computed %s; its weights are damaged or its training diverged (check them with llava inspect --check)"
                        .formatted(computed));
    }
}
