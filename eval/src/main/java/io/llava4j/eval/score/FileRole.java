package io.llava4j.eval.score;

import io.llava4j.io.KebabCase;

/** What a file is to a benchmark. */
public enum FileRole {
    /** What is asked: LLaVA's question file, or the benchmark's own. */
    QUESTIONS,
    /** What is true. */
    ANNOTATIONS,
    /** Which questions belong to which split. */
    SPLITS,
    /** Answers that are valid or plausible for a question. */
    CHOICES,
    /** Words read in the images. */
    OCR,
    /** Descriptions of the images for the judge. */
    CONTEXT,
    /** Answers that the judge compares with. */
    REFERENCE_ANSWERS,
    /** What the judge is told. */
    RULES,
    /** Folder of the images. */
    IMAGES;

    /** Name on the command line and in messages. */
    public String label() {
        return KebabCase.of(this);
    }
}
