package io.llava4j.generate.schedule;

/** What a scheduler counts. Changed by the decoding thread under the scheduler's lock. */
final class Counters {
    long accepted;
    long refused;
    long finished;
    long steps;
    long batchedAnswers;
    long promptTokens;
    long cachedTokens;
    long answerTokens;
    long guessedTokens;
    long rightGuesses;
    long encodedImages;
    long cachedImages;
    long cacheBytes;
    long evictions;

    SchedulerStats stats(int waiting, int running) {
        return new SchedulerStats(
                waiting,
                running,
                accepted,
                refused,
                finished,
                steps,
                batchedAnswers,
                promptTokens,
                cachedTokens,
                answerTokens,
                guessedTokens,
                rightGuesses,
                encodedImages,
                cachedImages,
                cacheBytes,
                evictions);
    }
}
