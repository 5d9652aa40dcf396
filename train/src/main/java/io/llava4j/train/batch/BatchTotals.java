package io.llava4j.train.batch;

import java.nio.file.Path;

/** Sums over the answers of a run. */
final class BatchTotals {
    private long start = System.nanoTime();
    private int truncated;
    private long promptTokens;
    private long imageTokens;
    private long answerTokens;

    /** Begins to count time. */
    void begin() {
        start = System.nanoTime();
    }

    synchronized void add(BatchLine line) {
        truncated += line.truncated() ? 1 : 0;
        promptTokens += line.promptTokens();
        imageTokens += line.imageTokens();
        answerTokens += line.answerTokens();
    }

    synchronized BatchSummary summary(Path target, int records, int earlier, AnswerLines lines, boolean complete) {
        return new BatchSummary(
                target.toString(),
                records,
                earlier,
                lines.count() - lines.failed(),
                lines.failed(),
                complete,
                truncated,
                promptTokens,
                imageTokens,
                answerTokens,
                (System.nanoTime() - start) / 1e9,
                lines.failures());
    }
}
