package io.llava4j.nano.text;

/**
 * How often each kind of short-answer question is asked.
 *
 * @param existence chance that a question is about existence, from 0 to 1; a scene of few categories lowers it (by a
 *     fifth on average), since a category is asked for once
 * @param count weight among the others
 * @param color weight among the others
 * @param position weight among the others
 * @param category weight among the others
 * @param alike chance that a category which is asked for but absent is of a kind that is there, such as another animal
 */
public record QuestionShares(
        double existence, double count, double color, double position, double category, double alike) {
    /** About two fifths existence, as POPE measures it. */
    public static final QuestionShares DEFAULT = new QuestionShares(0.52, 0.2, 0.2, 0.25, 0.35, 0.5);

    /** The same with another chance of existence. */
    public QuestionShares withExistence(double chance) {
        return new QuestionShares(chance, count, color, position, category, alike);
    }

    /**
     * The same with another chance that what is absent is like something present. The more often it is, the surer a model
     * wants to be before it says yes.
     */
    public QuestionShares withAlike(double chance) {
        return new QuestionShares(existence, count, color, position, category, chance);
    }
}
