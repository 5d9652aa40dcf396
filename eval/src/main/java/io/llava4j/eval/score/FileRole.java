package io.llava4j.eval.score;

import io.llava4j.io.KebabCase;

/** The role of a file in a benchmark. */
public enum FileRole {
    /** The questions: LLaVA's question file, or the benchmark's own. */
    QUESTIONS,
    /** The ground truth. */
    ANNOTATIONS,
    /** Which questions belong to which split. */
    SPLITS,
    /** Answers that are valid or plausible for a question. */
    CHOICES,
    /** Words that an OCR system read in the images. */
    OCR,
    /** Descriptions of the images for the judge. */
    CONTEXT,
    /** Answers that the judge compares with. */
    REFERENCE_ANSWERS,
    /** The judge's instructions. */
    RULES,
    /** Folder of the images. */
    IMAGES;

    /** Name on the command line and in messages. */
    public String label() {
        return KebabCase.of(this);
    }
}
