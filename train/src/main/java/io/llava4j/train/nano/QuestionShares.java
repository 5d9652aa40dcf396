package io.llava4j.train.nano;

/**
 * How often each kind of short-answer question is asked.
 *
 * @param existence chance that a question is about existence, from 0 to 1
 * @param count weight among the others
 * @param color weight among the others
 * @param position weight among the others
 * @param category weight among the others
 */
public record QuestionShares(double existence, double count, double color, double position, double category) {
    /** Existence most of all, as POPE measures it. */
    public static final QuestionShares DEFAULT = new QuestionShares(0.45, 0.2, 0.2, 0.25, 0.35);
}
