package io.llava4j.train.run;

import io.llava4j.model.LlamaModel;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Tensors;
import io.llava4j.text.Prompt;
import java.util.function.Supplier;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Mean cross-entropy over a micro-batch's supervised positions, shifted by one within each sequence
 * (docs/reference/training.md#loss). Hidden states are {@code [batch, tokens, hidden]} with labels {@code [batch][tokens]},
 * or those of packed sequences, {@code [1, sum of lengths, hidden]} with labels {@code [batch][own length]}.
 *
 * <p>Final norm, LM head and softmax run on those positions only: with short answers they are few, while the
 * head is among the largest matrices. The result is the same as with all logits.
 */
public final class SequenceLoss {
    /** 128 MiB of 32-bit floats: their products keep any device busy, and they are small beside a model. */
    private static final long MAX_LOGITS = 1 << 25;

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
        return inOneGraph(model, hidden, labels).mean();
    }

    /**
     * The mean with what each token gives to it.
     *
     * @param mean a scalar with its graph; NaN, as in the reference, if nothing is supervised
     * @param ofTokens cross-entropy of each supervised token, sequence after sequence
     * @param remainingBackward continues the mean's backward pass where the loss was computed in chunks
     */
    record Losses(Tensor mean, Supplier<float[]> ofTokens, Runnable remainingBackward) {}

    /** {@link #of} with the losses of the tokens. */
    static Losses inOneGraph(LlamaModel model, Tensor hidden, int[][] labels) {
        return losses(model, Supervised.of(hidden, labels), Long.MAX_VALUE);
    }

    /** As {@link #inOneGraph}, with the logits of at most {@link #MAX_LOGITS} elements at a time. */
    static Losses inChunks(LlamaModel model, Tensor hidden, int[][] labels) {
        return losses(
                model,
                Supervised.of(hidden, labels),
                Math.max(1, MAX_LOGITS / model.config().vocabSize()));
    }

    /** @param chunk positions whose logits exist at a time */
    static Losses inChunks(LlamaModel model, Tensor hidden, int[][] labels, long chunk) {
        return losses(model, Supervised.of(hidden, labels), chunk);
    }

    /** Softmax and mean are the two halves of one cross-entropy. */
    private static Losses losses(LlamaModel model, Supervised supervised, long chunk) {
        Tensor targets = supervised.targets();
        if (targets.numel() > chunk) {
            ChunkedLoss loss = new ChunkedLoss(model, supervised.states(), targets, chunk);
            return new Losses(loss.mean(), loss::ofTokens, loss::backward);
        }
        Tensor logProbabilities = Engine.freeingIntermediates(
                () -> torch.log_softmax(model.logits(supervised.states()).to(Tensors.FLOAT), 1));
        Tensor ofTokens = Engine.freeingIntermediates(
                () -> logProbabilities.detach().gather(1, targets.unsqueeze(1)).neg());
        Tensor mean = torch.nll_loss(logProbabilities, targets);
        logProbabilities.close(); // the graph keeps them until its backward pass
        return new Losses(mean, () -> Tensors.toFloats(ofTokens), () -> {});
    }

    /**
     * The positions that have a label after them.
     *
     * @param states {@code [supervised, hidden]}
     * @param targets {@code [supervised]}
     */
    private record Supervised(Tensor states, Tensor targets) {
        static Supervised of(Tensor hidden, int[][] labels) {
            int count = supervised(labels);
            long[] positions = new long[count];
            long[] targets = new long[count];
            int at = 0;
            long from = 0;
            for (int[] sequence : labels) {
                for (int t = 0; t + 1 < sequence.length; t++) {
                    if (sequence[t + 1] != Prompt.IGNORE_INDEX) {
                        positions[at] = from + t;
                        targets[at++] = sequence[t + 1];
                    }
                }
                from += sequence.length;
            }
            return new Supervised(
                    hidden.reshape(hidden.size(0) * hidden.size(1), hidden.size(2))
                            .index_select(0, index(positions, hidden)),
                    index(targets, hidden));
        }

        private static Tensor index(long[] values, Tensor like) {
            return Tensors.of(values, values.length).to(like.device(), torch.ScalarType.Long);
        }
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
