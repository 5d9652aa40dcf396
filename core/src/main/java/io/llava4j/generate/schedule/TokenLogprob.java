package io.llava4j.generate.schedule;

/**
 * A token and how likely the model finds it.
 *
 * @param id of the token
 * @param logprob natural logarithm of its probability at temperature 1, before any filter or constraint
 */
public record TokenLogprob(int id, double logprob) {}
