package io.llava4j.generate.constrain;

/** What an answer may still become. Each answer has its own; use it in one thread at a time. */
public interface TokenConstraint {
    /**
     * Sets the logits of all tokens that may not come next to negative infinity; at least one keeps its value.
     *
     * @param logits one per token id, {@code [vocab]}
     */
    void mask(float[] logits);

    /**
     * A token was chosen.
     *
     * @throws IllegalArgumentException if {@link #mask} excludes it
     */
    void accept(int id);
}
