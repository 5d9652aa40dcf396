package io.llava4j.generate.schedule;

/** Chooses the next token of one answer. Each answer has its own, so that it does not depend on its neighbours. */
@FunctionalInterface
public interface TokenChooser {
    /**
     * Chooses a token.
     *
     * @param logits one per token id, {@code [vocab]}; tokens that may not come are at negative infinity
     * @param previousIds of the answer so far
     */
    int choose(float[] logits, int[] previousIds);
}
