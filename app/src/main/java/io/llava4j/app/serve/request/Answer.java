package io.llava4j.app.serve.request;

import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Usage;
import org.jspecify.annotations.Nullable;

/**
 * A complete answer.
 *
 * @param text trimmed
 * @param finish why it ended
 * @param stopText the stop text that ended it; null if none did
 * @param usage tokens and seconds
 */
public record Answer(
        String text, FinishReason finish, @Nullable String stopText, Usage usage) {}
