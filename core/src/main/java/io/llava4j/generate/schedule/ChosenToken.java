package io.llava4j.generate.schedule;

import java.util.List;

/**
 * A token of an answer.
 *
 * @param id of the token
 * @param logprob as {@link TokenLogprob#logprob}; NaN where none was asked for
 * @param top the likeliest tokens, likeliest first, equal ones by id; as many as were asked for
 */
public record ChosenToken(int id, double logprob, List<TokenLogprob> top) {}
