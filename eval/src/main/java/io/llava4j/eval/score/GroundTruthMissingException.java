package io.llava4j.eval.score;

import io.llava4j.LlavaException;

/** The files hold questions without ground truth; only the benchmark's server has it. */
public final class GroundTruthMissingException extends LlavaException {
    private static final long serialVersionUID = 1;

    /** Says which files. */
    public GroundTruthMissingException(String message) {
        super(message);
    }
}
