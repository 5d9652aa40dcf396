package io.llava4j.app.verify;

import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.generate.GenerationOptions;
import io.llava4j.generate.Generator;
import io.llava4j.generate.schedule.LogProbabilities;
import io.llava4j.generate.session.DecodingSession;
import io.llava4j.generate.session.ImagePrompt;
import io.llava4j.model.LlavaModel;
import io.llava4j.tensor.Engine;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Greedy decoding of a recorded batch. Ids must agree except at near ties, where rounding may exchange the two best logits;
 * an answer that leaves the record at one is not followed any further.
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
        List<int[]> answers = generate(steps, -1);
        int[] followed = new int[answers.size()];
        String difference = "";
        for (int sequence = 0; sequence < followed.length; sequence++) {
            int[] answer = answers.get(sequence);
            if (answer.length != steps) {
                difference = "%d tokens, expected %d".formatted(answer.length, steps);
            }
            int step = 0;
            while (step < answer.length && answer[step] == wanted[sequence * steps + step]) {
                step++;
            }
            followed[sequence] = Math.min(step + 1, answer.length);
            int at = sequence * steps + step;
            if (step < answer.length && (gaps == null || gaps.toFloats()[at] > NEAR_TIE)) {
                difference = "sequence %d step %d: %d, expected %d".formatted(sequence, step, answer[step], wanted[at]);
            }
        }
        out.accept(CaseResult.exact(TinyLlavaSuite.NAME, label + " greedy_ids", difference.isEmpty(), difference));
        if (topIds != null && topLogProbabilities != null) {
            int each = Math.toIntExact(topIds.shape()[2]);
            double worst = worstLogProbability(
                    answers, followed, steps, each, topIds.toLongs(), topLogProbabilities.toFloats());
            out.accept(CaseResult.within(
                    TinyLlavaSuite.NAME, label + " greedy_top%d_logprobs".formatted(each), worst, LOG_PROBABILITY));
        }
    }

    /** Over the steps of each sequence that follow the record, the one that leaves it included. */
    private double worstLogProbability(
            List<int[]> answers, int[] followed, int steps, int each, long[] ids, float[] expected) {
        return Engine.inference(label, () -> {
            double worst = 0;
            try (DecodingSession session =
                    new DecodingSession(model, ImagePrompt.of(batch.ids(), batch.placedPixels()), null)) {
                for (int step = 0; step < steps; step++) {
                    for (int sequence = 0; sequence < followed.length; sequence++) {
                        if (step < followed[sequence]) {
                            float[] logits = session.logits(sequence);
                            double logSumExp = LogProbabilities.logSumExp(logits, 0, logits.length);
                            int from = (sequence * steps + step) * each;
                            for (int i = from; i < from + each; i++) {
                                double actual = logits[Math.toIntExact(ids[i])] - logSumExp;
                                worst = Math.max(worst, Math.abs(actual - expected[i]));
                            }
                        }
                    }
                    int at = step;
                    session.decodeStep(answers.stream()
                            .mapToInt(answer -> at < answer.length ? answer[at] : 0)
                            .toArray());
                }
            }
            return worst;
        });
    }

    /**
     * Compares output that ends at a stop id.
     *
     * @param stopId ends an answer and is part of it
     * @param padId after the end of answers that finished early
     * @param wanted {@code [batch][longest]}
     */
    void compareStopped(int steps, int stopId, int padId, int[][] wanted) {
        List<int[]> answers = generate(steps, stopId);
        int longest = answers.stream().mapToInt(answer -> answer.length).max().orElse(0);
        int[][] padded = answers.stream()
                .map(answer -> {
                    int[] full = Arrays.copyOf(answer, longest);
                    Arrays.fill(full, answer.length, longest, padId);
                    return full;
                })
                .toArray(int[][]::new);
        out.accept(CaseResult.exact(
                TinyLlavaSuite.NAME,
                label + " new_tokens_with_stop",
                Arrays.deepEquals(padded, wanted),
                "%s, expected %s".formatted(Arrays.deepToString(padded), Arrays.deepToString(wanted))));
    }

    private List<int[]> generate(int steps, int stopId) {
        return new Generator(model)
                .generate(
                        batch.ids(),
                        batch.placedPixels(),
                        GenerationOptions.greedy(steps),
                        stopId < 0 ? Set.of() : Set.of(stopId),
                        (sequence, id) -> true);
    }
}
