package io.llava4j.eval.score;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Ground-truth labels outside a benchmark's vocabulary, such as POPE's {@code Yes} for {@code yes}. Official code compares
 * labels as they are written, so such a label changes the score. The official number stays; a warning counts the labels.
 */
public final class UnknownLabels {
    private int count;
    private int all;
    private @Nullable String first;

    /**
     * Checks one label.
     *
     * @param known the vocabulary
     * @param label as the file has it
     * @param where its question, for the message
     */
    public void check(Set<String> known, String label, String where) {
        all++;
        if (!known.contains(label)) {
            if (first == null) {
                first = "'%s' of %s".formatted(label, where);
            }
            count++;
        }
    }

    /**
     * One sentence, or none if all labels are known.
     *
     * @param vocabulary the known labels, such as {@code yes or no}
     * @param effect how the official code treats the others
     */
    public List<String> warnings(String vocabulary, String effect) {
        return count == 0
                ? List.of()
                : List.of("%d of %d labels are not %s (the first is %s): %s; mend the labels"
                        .formatted(count, all, vocabulary, first, effect));
    }
}
