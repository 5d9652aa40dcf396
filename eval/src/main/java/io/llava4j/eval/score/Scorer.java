package io.llava4j.eval.score;

/** Scores answers as a benchmark's official code does. */
@FunctionalInterface
public interface Scorer {
    /**
     * Scores answers.
     *
     * @throws io.llava4j.DataException naming the file that is missing, broken or does not fit
     */
    Score score(ScoreInput input);
}
