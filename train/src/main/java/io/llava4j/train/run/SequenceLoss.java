package io.llava4j.train.run;

import io.llava4j.model.LlamaModel;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Prompt;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Mean cross-entropy over a micro-batch's supervised positions, shifted by one (docs/reference/training.md#loss).
 *
 * <p>Final norm, LM head and softmax run on those positions only: with short answers they are a small share of all,
 * while the head is among the largest matrices. The result is the same as with all logits.
 */
public final class SequenceLoss {
    private SequenceLoss() {}

    /**
     * The loss.
     *
     * @param decoder whose head is used
     * @param hidden before the final norm, {@code [batch, tokens, hidden]}
     * @param labels {@code [batch][tokens]}
     * @return a scalar; NaN, as in the reference, if nothing is supervised
     */
    public static Tensor of(LlamaModel decoder, Tensor hidden, int[][] labels) {
        int tokens = Math.toIntExact(hidden.size(1));
        int count = supervised(labels);
        long[] rows = new long[count];
        long[] targets = new long[count];
        int at = 0;
        for (int row = 0; row < labels.length; row++) {
            for (int t = 0; t + 1 < tokens; t++) {
                if (labels[row][t + 1] != Prompt.IGNORE_INDEX) {
                    rows[at] = (long) row * tokens + t;
                    targets[at++] = labels[row][t + 1];
                }
            }
        }
        Tensor chosen = hidden.reshape((long) labels.length * tokens, hidden.size(2))
                .index_select(0, Tensors.of(rows, count).to(hidden.device(), torch.ScalarType.Long));
        Tensor logits = decoder.logits(chosen);
        return torch.cross_entropy_loss(logits, Tensors.of(targets, count).to(hidden.device(), torch.ScalarType.Long));
    }

    /**
     * The same loss by way of every position's logits, as the reference computes it; for measurements.
     *
     * @param hidden before the final norm, {@code [batch, tokens, hidden]}
     * @param labels {@code [batch][tokens]}
     */
    public static Tensor ofAllLogits(LlamaModel decoder, Tensor hidden, int[][] labels) {
        int tokens = Math.toIntExact(hidden.size(1));
        int vocabulary = decoder.config().vocabSize();
        long[] targets = new long[labels.length * (tokens - 1)];
        for (int row = 0; row < labels.length; row++) {
            for (int t = 0; t + 1 < tokens; t++) {
                targets[row * (tokens - 1) + t] = labels[row][t + 1];
            }
        }
        Tensor logits = decoder.logits(hidden).narrow(1, 0, tokens - 1L).reshape(targets.length, vocabulary);
        return torch.cross_entropy_loss(
                logits, Tensors.of(targets, targets.length).to(hidden.device(), torch.ScalarType.Long));
    }

    /** Positions that are trained on: labels that have a token before them. */
    public static int supervised(int[][] labels) {
        int count = 0;
        for (int[] row : labels) {
            for (int t = 1; t < row.length; t++) {
                count += row[t] != Prompt.IGNORE_INDEX ? 1 : 0;
            }
        }
        return count;
    }
}
