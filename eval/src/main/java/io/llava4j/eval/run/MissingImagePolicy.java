package io.llava4j.eval.run;

import io.llava4j.io.KebabCase;

/** What happens to questions whose image is missing or cannot be read. */
public enum MissingImagePolicy {
    /** The run ends and names the image; answers given so far are kept. */
    FAIL,
    /** The question is not asked; its answer is empty, so that answers still pair with labels by position. */
    SKIP,
    /** The question is asked about a blank image. */
    BLANK;

    /** Name on the command line and in files. */
    public String label() {
        return KebabCase.of(this);
    }
}
