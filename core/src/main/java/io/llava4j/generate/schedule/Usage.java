package io.llava4j.generate.schedule;

/**
 * What an answer took.
 *
 * @param promptTokens tokens of the prompt, image tokens included
 * @param imageTokens tokens of its images
 * @param cachedTokens tokens of the prompt that did not have to be read again
 * @param answerTokens tokens of the answer, the one that ended it included
 * @param queueSeconds from the request until its first token was read
 * @param firstTokenSeconds from the request to the first token of the answer
 * @param seconds from the request to the end
 */
public record Usage(
        int promptTokens,
        int imageTokens,
        int cachedTokens,
        int answerTokens,
        double queueSeconds,
        double firstTokenSeconds,
        double seconds) {
    /** Without what depends on the machine and on other requests: what was cached, and how long it took. */
    public Usage repeatable() {
        return new Usage(promptTokens, imageTokens, 0, answerTokens, 0, 0, 0);
    }
}
