package io.llava4j.generate;

/**
 * A complete answer.
 *
 * @param text the answer, trimmed
 * @param tokens number of generated tokens, including the one that ended the answer
 */
public record ChatResponse(String text, int tokens) {}
