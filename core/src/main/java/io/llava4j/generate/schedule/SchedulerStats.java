package io.llava4j.generate.schedule;

/**
 * What a {@link Scheduler} does now, and what it has done so far.
 *
 * @param waiting requests in the queue
 * @param running answers that are being read or decoded
 * @param accepted requests
 * @param refused requests, because too many waited
 * @param finished answers, however they ended
 * @param steps of the decoding thread
 * @param batchedAnswers sum over all steps of the answers that took part
 * @param promptTokens read or taken from the cache
 * @param cachedTokens those of them that were taken from the cache
 * @param answerTokens chosen
 * @param guessedTokens read by prompt lookup before they were chosen
 * @param rightGuesses those of them that were chosen
 * @param encodedImages images that went through the vision tower
 * @param cachedImages images whose tokens were in the cache
 * @param cacheBytes memory of the caches now
 * @param evictions from the caches
 */
public record SchedulerStats(
        int waiting,
        int running,
        long accepted,
        long refused,
        long finished,
        long steps,
        long batchedAnswers,
        long promptTokens,
        long cachedTokens,
        long answerTokens,
        long guessedTokens,
        long rightGuesses,
        long encodedImages,
        long cachedImages,
        long cacheBytes,
        long evictions) {}
