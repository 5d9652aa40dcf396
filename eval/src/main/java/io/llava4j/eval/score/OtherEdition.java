package io.llava4j.eval.score;

import io.llava4j.DataException;

/**
 * A file of another edition of a benchmark, such as SEED-Bench v2 for v1. A file whose questions have another form is
 * refused by name. Where the scoring rule is the same, the number stays, with a warning that it is not the published one.
 */
public final class OtherEdition {
    private OtherEdition() {}

    /**
     * The refusal.
     *
     * @param where file and record
     * @param found what shows the other edition
     * @param expected the edition that is scored, and its file
     */
    public static DataException refused(String where, String found, String expected) {
        return new DataException(
                "%s: %s, so this is another edition of the benchmark; scored is %s".formatted(where, found, expected));
    }

    /**
     * The warning.
     *
     * @param file the file's name
     * @param found the edition
     * @param published the edition of the published numbers
     */
    public static String warning(String file, String found, String published) {
        return "%s is %s; the published numbers are of %s and cannot be compared".formatted(file, found, published);
    }
}
