package io.llava4j.app.verify;

import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.Generator;
import io.llava4j.model.LlavaModel;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Greedy decoding of a recorded batch. Ids must agree unless the two best logits are a near tie; a sequence
 * that differs at a near tie is not compared any further.
 */
final class GreedyCase {
    private static final double NEAR_TIE = 1e-3;
    private static final double LOG_PROBABILITY = 1e-4;

    private final String label;
    private final LlavaModel model;
    private final RecordedBatch batch;
    private final Consumer<CaseResult> out;

    GreedyCase(String label, LlavaModel model, RecordedBatch batch, Consumer<CaseResult> out) {
        this.label = label;
        this.model = model;
        this.batch = batch;
        this.out = out;
    }

    /**
     * Compares ids and log-probabilities.
     *
     * @param greedyIds {@code [batch, steps]}, without a stop id
     * @param gaps between the two best logits, {@code [batch, steps]}
     * @param topIds {@code [batch, steps, k]}
     * @param topLogProbabilities {@code [batch, steps, k]}
     */
    void compare(
            TensorEntry greedyIds,
            @Nullable TensorEntry gaps,
            @Nullable TensorEntry topIds,
            @Nullable TensorEntry topLogProbabilities) {
        int steps = Math.toIntExact(greedyIds.shape()[1]);
        long[] wanted = greedyIds.toLongs();
        long[] top = topIds == null ? new long[0] : topIds.toLongs();
        float[] topValues = topLogProbabilities == null ? new float[0] : topLogProbabilities.toFloats();
        int each = top.length / wanted.length;
        boolean[] differs = new boolean[batch.ids().size()];
        double[] worst = {0};
        String[] difference = {""};
        Generator.Observer observer = new Generator.Observer() {
            private int step = -1;

            @Override
            public void logits(int at, float[] logits) {
                step = at;
                int vocab = logits.length / differs.length;
                for (int sequence = 0; sequence < differs.length; sequence++) {
                    if (each > 0 && !differs[sequence]) {
                        double logSumExp = LogProbabilities.logSumExp(logits, sequence * vocab, vocab);
                        for (int i = (sequence * steps + at) * each; i < (sequence * steps + at + 1) * each; i++) {
                            double actual = logits[sequence * vocab + Math.toIntExact(top[i])] - logSumExp;
                            worst[0] = Math.max(worst[0], Math.abs(actual - topValues[i]));
                        }
                    }
                }
            }

            @Override
            public boolean token(int sequence, int id) {
                int at = sequence * steps + step;
                if (!differs[sequence] && id != wanted[at]) {
                    differs[sequence] = true;
                    if (gaps == null || gaps.toFloats()[at] > NEAR_TIE) {
                        difference[0] =
                                "sequence %d step %d: %d, expected %d".formatted(sequence, step, id, wanted[at]);
                    }
                }
                return true;
            }
        };
        for (int[] ids : generate(steps, -1, observer)) {
            if (ids.length != steps) {
                difference[0] = "%d tokens, expected %d".formatted(ids.length, steps);
            }
        }
        out.accept(
                CaseResult.exact(TinyLlavaSuite.NAME, label + " greedy_ids", difference[0].isEmpty(), difference[0]));
        if (each > 0) {
            out.accept(CaseResult.within(
                    TinyLlavaSuite.NAME, label + " greedy_top%d_logprobs".formatted(each), worst[0], LOG_PROBABILITY));
        }
    }

    /**
     * Compares output that ends at a stop id.
     *
     * @param stopId ends a sequence and is part of it
     * @param padId after the end of sequences that finished early
     * @param wanted {@code [batch][longest]}
     */
    void compareStopped(int steps, int stopId, int padId, int[][] wanted) {
        List<int[]> sequences = generate(steps, stopId, new Generator.Observer() {});
        int longest = sequences.stream().mapToInt(ids -> ids.length).max().orElse(0);
        int[][] padded = sequences.stream()
                .map(ids -> {
                    int[] full = Arrays.copyOf(ids, longest);
                    Arrays.fill(full, ids.length, longest, padId);
                    return full;
                })
                .toArray(int[][]::new);
        out.accept(CaseResult.exact(
                TinyLlavaSuite.NAME,
                label + " new_tokens_with_stop",
                Arrays.deepEquals(padded, wanted),
                "%s, expected %s".formatted(Arrays.deepToString(padded), Arrays.deepToString(wanted))));
    }

    private List<int[]> generate(int steps, int stopId, Generator.Observer observer) {
        return new Generator(model)
                .generate(batch.ids(), batch.placedPixels(), GenerationOptions.greedy(steps), stopId, observer);
    }
}
