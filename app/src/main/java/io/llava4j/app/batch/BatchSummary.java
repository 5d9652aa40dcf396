package io.llava4j.app.batch;

import java.util.List;

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
        List<String> failures) {
    /** Most sentences that a summary keeps. */
    static final int MAX_FAILURES = 5;

    /** Records that were answered or failed in this run, for each second of it. */
    public double recordsPerSecond() {
        return seconds > 0 ? (answered + failed - earlier) / seconds : 0;
    }
}
