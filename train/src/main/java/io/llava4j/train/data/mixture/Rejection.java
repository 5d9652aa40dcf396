package io.llava4j.train.data.mixture;

import java.io.Serializable;

/**
 * A record, a conversation or a part of one that is not in the mixture.
 *
 * @param rule key of the rule, or what else it is counted under
 * @param line of {@code left-out.jsonl}, without its end: source, rule, file, place, id and reason
 */
public record Rejection(String rule, String line) implements Serializable {}
