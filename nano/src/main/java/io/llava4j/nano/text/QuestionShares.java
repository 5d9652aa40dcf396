package io.llava4j.nano.text;

/**
 * Frequencies of the kinds of short-answer questions.
 *
 * @param existence probability of a question about existence; scenes with few categories lower it (by a fifth on average),
 *     since a category is asked for once
 * @param count weight among the others
 * @param color weight among the others
 * @param position weight among the others
 * @param category weight among the others
 * @param alike probability that an absent category is of a kind that is present, such as another animal
 */
public record QuestionShares(
        double existence, double count, double color, double position, double category, double alike) {
    /** About two fifths of the questions are about existence, which POPE measures. */
    public static final QuestionShares DEFAULT = new QuestionShares(0.52, 0.2, 0.2, 0.25, 0.35, 0.5);

    /** A copy with another probability of existence questions. */
    public QuestionShares withExistence(double chance) {
        return new QuestionShares(chance, count, color, position, category, alike);
    }

    /**
     * A copy with another probability that an absent category is of a kind that is present. The higher it is, the less
     * often a model trained on the questions says yes.
     */
    public QuestionShares withAlike(double chance) {
        return new QuestionShares(existence, count, color, position, category, chance);
    }
}
