package io.llava4j.app.verify;

/** Log-softmax in 64-bit arithmetic. */
public final class LogProbabilities {
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
}
