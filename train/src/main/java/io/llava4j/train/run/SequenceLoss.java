package io.llava4j.train.run;

import io.llava4j.model.LlamaModel;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Prompt;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Mean cross-entropy over a micro-batch's supervised positions, shifted by one (docs/reference/training.md#loss).
 *
 * <p>Final norm, LM head and softmax run on those positions only: with short answers they are few, while the
 * head is among the largest matrices. The result is the same as with all logits.
 */
public final class SequenceLoss {
    private SequenceLoss() {}

    /**
     * The loss.
     *
     * @param model whose final norm and head are used
     * @param hidden before the final norm, {@code [batch, tokens, hidden]}
     * @param labels {@code [batch][tokens]}
     * @return a scalar; NaN, as in the reference, if nothing is supervised
     */
    public static Tensor of(LlamaModel model, Tensor hidden, int[][] labels) {
        return withTokens(model, hidden, labels).mean();
    }

    /**
     * The mean with what each token gives to it.
     *
     * @param mean a scalar with its graph; NaN, as in the reference, if nothing is supervised
     * @param logProbabilities of all words, {@code [supervised, vocabulary]}
     * @param targets {@code [supervised]}
     */
    record Losses(Tensor mean, Tensor logProbabilities, Tensor targets) {
        /** Cross-entropy of each supervised token, sequence after sequence. */
        float[] ofTokens() {
            return Tensors.toFloats(logProbabilities
                    .detach()
                    .gather(1, targets.unsqueeze(1))
                    .neg()
                    .to(torch.ScalarType.Float));
        }
    }

    /** {@link #of} with the losses of the tokens; softmax and mean are the two halves of one cross-entropy. */
    static Losses withTokens(LlamaModel model, Tensor hidden, int[][] labels) {
        int tokens = Math.toIntExact(hidden.size(1));
        int count = supervised(labels);
        long[] positions = new long[count];
        long[] targets = new long[count];
        int at = 0;
        for (int sequence = 0; sequence < labels.length; sequence++) {
            for (int t = 0; t + 1 < tokens; t++) {
                if (labels[sequence][t + 1] != Prompt.IGNORE_INDEX) {
                    positions[at] = (long) sequence * tokens + t;
                    targets[at++] = labels[sequence][t + 1];
                }
            }
        }
        Tensor chosen = hidden.reshape((long) labels.length * tokens, hidden.size(2))
                .index_select(0, Tensors.of(positions, count).to(hidden.device(), torch.ScalarType.Long));
        Tensor logProbabilities = torch.log_softmax(model.logits(chosen).to(torch.ScalarType.Float), 1);
        Tensor wanted = Tensors.of(targets, count).to(hidden.device(), torch.ScalarType.Long);
        return new Losses(torch.nll_loss(logProbabilities, wanted), logProbabilities, wanted);
    }

    /**
     * The same loss by way of every position's logits, as the reference computes it; for measurements.
     *
     * @param hidden before the final norm, {@code [batch, tokens, hidden]}
     * @param labels {@code [batch][tokens]}
     */
    public static Tensor ofAllLogits(LlamaModel model, Tensor hidden, int[][] labels) {
        int tokens = Math.toIntExact(hidden.size(1));
        int vocabulary = model.config().vocabSize();
        long[] targets = new long[labels.length * (tokens - 1)];
        for (int sequence = 0; sequence < labels.length; sequence++) {
            for (int t = 0; t + 1 < tokens; t++) {
                targets[sequence * (tokens - 1) + t] = labels[sequence][t + 1];
            }
        }
        Tensor logits = model.logits(hidden)
                .to(torch.ScalarType.Float)
                .narrow(1, 0, tokens - 1L)
                .reshape(targets.length, vocabulary);
        return torch.cross_entropy_loss(
                logits, Tensors.of(targets, targets.length).to(hidden.device(), torch.ScalarType.Long));
    }

    /** Number of supervised tokens: labels that have a token before them. */
    public static int supervised(int[][] labels) {
        int count = 0;
        for (int[] sequence : labels) {
            for (int t = 1; t < sequence.length; t++) {
                count += sequence[t] != Prompt.IGNORE_INDEX ? 1 : 0;
            }
        }
        return count;
    }
}
