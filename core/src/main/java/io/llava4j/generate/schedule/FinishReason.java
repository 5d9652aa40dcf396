package io.llava4j.generate.schedule;

/** Why an answer ended. */
public enum FinishReason {
    /** At a stop id or a stop text. */
    STOP("stop"),
    /** At the limit of new tokens. */
    MAX_NEW_TOKENS("length"),
    /** Prompt and answer fill the model's context. */
    CONTEXT("length"),
    /** The reader stopped it. */
    CANCELLED("cancelled");

    private final String label;

    FinishReason(String label) {
        this.label = label;
    }

    /** Its name in JSON: OpenAI's, where OpenAI has one. */
    public String label() {
        return label;
    }

    /** Whether a limit ended the answer before the model did. */
    public boolean isTruncated() {
        return this == MAX_NEW_TOKENS || this == CONTEXT;
    }
}
