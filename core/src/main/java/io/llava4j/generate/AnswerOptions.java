package io.llava4j.generate;

import io.llava4j.ConfigException;
import io.llava4j.generate.constrain.JsonConstraint;
import org.jspecify.annotations.Nullable;

/**
 * How one answer is decoded and reported.
 *
 * @param decoding how its tokens are chosen and where it ends
 * @param constraint what the answer may be; null for anything
 * @param topLogprobs likeliest tokens to be reported with each chosen one, at most {@value #MAX_TOP_LOGPROBS}; 0 for the chosen
 *     one's log-probability only, -1 for none at all
 */
public record AnswerOptions(
        GenerationOptions decoding, @Nullable JsonConstraint constraint, int topLogprobs) {
    /** As many as OpenAI's API gives. */
    public static final int MAX_TOP_LOGPROBS = 20;

    /** @throws ConfigException if the number of log-probabilities is out of range */
    public AnswerOptions {
        if (topLogprobs < -1 || topLogprobs > MAX_TOP_LOGPROBS) {
            throw new ConfigException(
                    "top-logprobs must be from 0 to %d, not %d".formatted(MAX_TOP_LOGPROBS, topLogprobs));
        }
    }

    /** Free text, without log-probabilities. */
    public static AnswerOptions of(GenerationOptions decoding) {
        return new AnswerOptions(decoding, null, -1);
    }
}
