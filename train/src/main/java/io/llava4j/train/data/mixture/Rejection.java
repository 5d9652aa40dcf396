package io.llava4j.train.data.mixture;

import java.io.Serializable;

/**
 * A raw record, a conversation or a part of one that the mixture leaves out.
 *
 * @param rule its key, or another name that such cases are counted under
 * @param line of {@code left-out.jsonl}, without line feed: source, rule, file, record, id and reason
 */
public record Rejection(String rule, String line) implements Serializable {}
