package io.llava4j.generate;

/** Why an answer ended. */
public enum FinishReason {
    /** The model ended it, or a stop text came. */
    STOP("stop"),
    /** It had as many tokens as were allowed. */
    MAX_NEW_TOKENS("length"),
    /** The model's context was full. */
    CONTEXT("length"),
    /** Whoever read it wanted no more. */
    CANCELLED("cancelled");

    private final String label;

    FinishReason(String label) {
        this.label = label;
    }

    /** The word for it in JSON, which is that of OpenAI's interface where it has one. */
    public String label() {
        return label;
    }

    /** Whether the answer would have continued. */
    public boolean isCut() {
        return this == MAX_NEW_TOKENS || this == CONTEXT;
    }
}
