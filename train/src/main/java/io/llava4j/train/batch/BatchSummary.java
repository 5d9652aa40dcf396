package io.llava4j.train.batch;

import java.io.Serializable;
import java.util.List;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;

/**
 * What became of the records of a batch, or of one shard of it.
 *
 * @param output the file of the answers
 * @param records of the batch or shard
 * @param earlier of them, those that earlier runs answered
 * @param answered records with an answer, those of earlier runs included
 * @param failed records without one
 * @param complete whether the output is written; otherwise the run stopped early, and another one resumes it
 * @param truncated answers of this run that a limit ended
 * @param promptTokens of this run, image tokens included
 * @param imageTokens of this run
 * @param answerTokens of this run
 * @param seconds of this run, without loading the model
 * @param failures sentences of the first failed records
 */
public record BatchSummary(
        String output,
        int records,
        int earlier,
        int answered,
        int failed,
        boolean complete,
        int truncated,
        long promptTokens,
        long imageTokens,
        long answerTokens,
        double seconds,
        List<String> failures)
        implements Serializable {
    /** Most sentences that a summary keeps. */
    static final int MAX_FAILURES = 5;

    /**
     * The sum over all shards of a batch.
     *
     * @param output names the files
     * @param seconds of the run
     */
    public static BatchSummary ofShards(String output, List<BatchSummary> shards, double seconds) {
        return new BatchSummary(
                output,
                sum(shards, BatchSummary::records),
                sum(shards, BatchSummary::earlier),
                sum(shards, BatchSummary::answered),
                sum(shards, BatchSummary::failed),
                shards.stream().allMatch(BatchSummary::complete),
                sum(shards, BatchSummary::truncated),
                total(shards, BatchSummary::promptTokens),
                total(shards, BatchSummary::imageTokens),
                total(shards, BatchSummary::answerTokens),
                seconds,
                shards.stream()
                        .flatMap(shard -> shard.failures().stream())
                        .limit(MAX_FAILURES)
                        .toList());
    }

    private static int sum(List<BatchSummary> shards, ToIntFunction<BatchSummary> count) {
        return shards.stream().mapToInt(count).sum();
    }

    private static long total(List<BatchSummary> shards, ToLongFunction<BatchSummary> count) {
        return shards.stream().mapToLong(count).sum();
    }

    /** Records that were answered or failed in this run, for each second of it. */
    public double recordsPerSecond() {
        return seconds > 0 ? (answered + failed - earlier) / seconds : 0;
    }
}
