package io.llava4j.generate.schedule;

import org.jspecify.annotations.Nullable;

/**
 * Logits of an answer's next tokens.
 *
 * @param guesses tokens that were read as if they had been chosen
 * @param rows {@code [guesses + 1, vocab]}: of the next token, and of the one after each guess
 */
record NextLogits(int[] guesses, float[][] rows) {
    /** Logits of the next token alone. */
    static NextLogits of(float[] row) {
        return new NextLogits(new int[0], new float[][] {row});
    }

    /**
     * Chooses the next token, and those after it as long as they were guessed right.
     *
     * @return why the answer ends with the last of them; null if it goes on
     */
    @Nullable
    FinishReason chooseFor(Request request) {
        FinishReason reason = request.choose(rows[0]);
        for (int i = 0; i < guesses.length && reason == null && request.lastToken() == guesses[i]; i++) {
            reason = request.choose(rows[i + 1]);
        }
        return reason;
    }
}
