package io.llava4j.generate.schedule;

import io.llava4j.generate.constrain.TokenConstraint;
import io.llava4j.generate.session.ImagePrompt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One answer that is asked for.
 *
 * @param prompt token ids and images
 * @param maxNewTokens longest answer, at least 1
 * @param stopIds ids that end the answer; the one that does is part of it
 * @param chooser of this answer alone
 * @param constraint what the answer may be, of this answer alone; null for anything
 * @param topLogprobs likeliest tokens to be reported with each chosen one; 0 for the chosen one's log-probability only, -1
 *     for none at all
 * @param promptLookup most tokens that are guessed at a time, from what prompt and answer say; changes the speed, not the
 *     answer; 0 for none
 */
public record Work(
        ImagePrompt prompt,
        int maxNewTokens,
        Set<Integer> stopIds,
        TokenChooser chooser,
        @Nullable TokenConstraint constraint,
        int topLogprobs,
        int promptLookup) {}
