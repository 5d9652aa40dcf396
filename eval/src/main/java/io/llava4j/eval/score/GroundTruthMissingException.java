package io.llava4j.eval.score;

import io.llava4j.LlavaException;

/** The files hold questions without their answers, which only the benchmark's server knows. */
public final class GroundTruthMissingException extends LlavaException {
    private static final long serialVersionUID = 1;

    /** Says which files. */
    public GroundTruthMissingException(String message) {
        super(message);
    }
}
