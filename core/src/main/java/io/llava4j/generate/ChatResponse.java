package io.llava4j.generate;

/**
 * A complete answer.
 *
 * @param text the answer, trimmed
 * @param tokens number of generated tokens, including the one that ended the answer
 * @param finish why it ended
 * @param promptTokens tokens of the prompt, image tokens included
 * @param imageTokens tokens of the prompt's images
 */
public record ChatResponse(String text, int tokens, FinishReason finish, int promptTokens, int imageTokens) {
    /** One sentence for an truncated answer, with what to do about it. */
    public String truncationMessage() {
        return finish == FinishReason.CONTEXT
                ? "the answer was truncated after %d tokens: prompt and answer fill the model's context of %d tokens; shorten the conversation"
                        .formatted(tokens, promptTokens + tokens)
                : "the answer was truncated after %d tokens, the limit of max-new-tokens; raise it for longer answers"
                        .formatted(tokens);
    }
}
