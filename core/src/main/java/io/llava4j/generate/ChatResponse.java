package io.llava4j.generate;

/**
 * A streamed answer.
 *
 * @param text all of it, trimmed
 * @param tokens the model chose, the one that ends the answer included
 */
public record ChatResponse(String text, int tokens) {}
