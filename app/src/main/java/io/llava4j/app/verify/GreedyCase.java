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
 * Greedy decoding of a recorded batch. Ids must agree wherever the two best logits were further apart than rounding can
 * bridge; a row that parts from the record at a closer call is not followed any further.
 */
final class GreedyCase {
    private static final double CLOSE_CALL = 1e-3;
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
     * @param greedyIds {@code [batch, steps]}, with no stop
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
        boolean[] parted = new boolean[batch.ids().size()];
        double[] worst = {0};
        String[] difference = {""};
        Generator.Observer observer = new Generator.Observer() {
            private int step = -1;

            @Override
            public void logits(int at, float[] logits) {
                step = at;
                int vocab = logits.length / parted.length;
                for (int row = 0; row < parted.length; row++) {
                    if (each > 0 && !parted[row]) {
                        double normaliser = LogProbabilities.logSumExp(logits, row * vocab, vocab);
                        for (int i = (row * steps + at) * each; i < (row * steps + at + 1) * each; i++) {
                            double actual = logits[row * vocab + Math.toIntExact(top[i])] - normaliser;
                            worst[0] = Math.max(worst[0], Math.abs(actual - topValues[i]));
                        }
                    }
                }
            }

            @Override
            public boolean token(int row, int id) {
                int at = row * steps + step;
                if (!parted[row] && id != wanted[at]) {
                    parted[row] = true;
                    if (gaps == null || gaps.toFloats()[at] > CLOSE_CALL) {
                        difference[0] = "row %d step %d: %d, expected %d".formatted(row, step, id, wanted[at]);
                    }
                }
                return true;
            }
        };
        for (int[] row : generate(steps, -1, observer)) {
            if (row.length != steps) {
                difference[0] = "%d tokens, expected %d".formatted(row.length, steps);
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
     * @param stopId ends a row and is part of it
     * @param padId behind the end of rows that finished early
     * @param wanted {@code [batch][longest]}
     */
    void compareStopped(int steps, int stopId, int padId, int[][] wanted) {
        List<int[]> rows = generate(steps, stopId, new Generator.Observer() {});
        int longest = rows.stream().mapToInt(row -> row.length).max().orElse(0);
        int[][] padded = rows.stream()
                .map(row -> {
                    int[] full = Arrays.copyOf(row, longest);
                    Arrays.fill(full, row.length, longest, padId);
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
