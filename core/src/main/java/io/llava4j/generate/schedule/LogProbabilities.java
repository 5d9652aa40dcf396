package io.llava4j.generate.schedule;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Log-softmax in 64-bit arithmetic. */
public final class LogProbabilities {
    private static final Comparator<TokenLogprob> LIKELIEST_LAST = Comparator.comparingDouble(TokenLogprob::logprob)
            .thenComparing(TokenLogprob::id, Comparator.reverseOrder());

    private LogProbabilities() {}

    /** Logarithm of the sum of {@code exp} over {@code length} logits. */
    public static double logSumExp(float[] logits, int from, int length) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int i = from; i < from + length; i++) {
            largest = Math.max(largest, logits[i]);
        }
        double sum = 0;
        for (int i = from; i < from + length; i++) {
            sum += Math.exp(logits[i] - largest);
        }
        return largest + Math.log(sum);
    }

    /** The {@code count} likeliest tokens, likeliest first; equal ones by id. */
    static List<TokenLogprob> top(float[] logits, double logSumExp, int count) {
        PriorityQueue<TokenLogprob> best = new PriorityQueue<>(count + 1, LIKELIEST_LAST);
        for (int id = 0; id < logits.length && count > 0; id++) {
            TokenLogprob token = new TokenLogprob(id, logits[id] - logSumExp);
            if (best.size() < count || LIKELIEST_LAST.compare(token, best.peek()) > 0) {
                best.add(token);
                if (best.size() > count) {
                    best.poll();
                }
            }
        }
        List<TokenLogprob> sorted = new ArrayList<>(best);
        sorted.sort(Collections.reverseOrder(LIKELIEST_LAST));
        return List.copyOf(sorted);
    }
}
