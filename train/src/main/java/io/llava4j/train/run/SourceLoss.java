package io.llava4j.train.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Loss of the samples of one source.
 *
 * @param sum of the cross-entropies of all supervised tokens
 * @param tokens number of supervised tokens
 */
public record SourceLoss(double sum, long tokens) {
    /** Mean over the tokens, each counting the same. */
    public double mean() {
        return sum / tokens;
    }

    private SourceLoss plus(SourceLoss other) {
        return new SourceLoss(sum + other.sum, tokens + other.tokens);
    }

    /** Adds losses by source to others, source by source. */
    static void add(Map<String, SourceLoss> more, Map<String, SourceLoss> to) {
        more.forEach((source, loss) -> to.merge(source, loss, SourceLoss::plus));
    }

    /**
     * Losses by source.
     *
     * @param losses of the supervised tokens, sequence after sequence
     * @param labels {@code [batch][tokens]}
     * @param sources of the sequences, {@code [batch]}
     */
    static Map<String, SourceLoss> of(float[] losses, int[][] labels, List<String> sources) {
        Map<String, SourceLoss> all = new LinkedHashMap<>();
        int at = 0;
        for (int sequence = 0; sequence < labels.length; sequence++) {
            int tokens = SequenceLoss.supervised(new int[][] {labels[sequence]});
            double sum = 0;
            for (int i = 0; i < tokens; i++) {
                sum += losses[at++];
            }
            all.merge(sources.get(sequence), new SourceLoss(sum, tokens), SourceLoss::plus);
        }
        return all;
    }
}
