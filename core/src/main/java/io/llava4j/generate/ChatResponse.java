package io.llava4j.generate;

import io.llava4j.generate.schedule.FinishReason;
import io.llava4j.generate.schedule.Usage;

/**
 * A complete answer.
 *
 * @param text the answer, trimmed
 * @param finish why it ended
 * @param usage tokens and seconds
 */
public record ChatResponse(String text, FinishReason finish, Usage usage) {
    /** Number of generated tokens, including the one that ended the answer. */
    public int tokens() {
        return usage.answerTokens();
    }

    /** One sentence for a truncated answer, with what to do about it. */
    public String truncationMessage() {
        return finish == FinishReason.CONTEXT
                ? "the answer was truncated after %d tokens: prompt and answer fill the model's context of %d tokens; shorten the conversation"
                        .formatted(tokens(), usage.promptTokens() + tokens())
                : "the answer was truncated after %d tokens, the limit of max-new-tokens; raise it for longer answers"
                        .formatted(tokens());
    }
}
