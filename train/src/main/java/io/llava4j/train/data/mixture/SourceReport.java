package io.llava4j.train.data.mixture;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Describes one source of a mixture.
 *
 * @param name in the recipe
 * @param kind form of its raw files
 * @param licence of the data
 * @param paper the number the paper has for it; may be empty
 * @param expected number of conversations; null if not known
 * @param files its raw files
 * @param rules values by key
 * @param imagesChecked whether the images were looked for
 * @param items number of items in the raw files
 * @param records number of its conversations
 * @param pairs of question and answer in them
 * @param leftOut records, conversations or parts of them that were left out, by rule; {@code bad-record} is what could
 *     not be read, {@code invalid} what broke the data format
 */
public record SourceReport(
        String name,
        String kind,
        String licence,
        String paper,
        @Nullable Integer expected,
        List<InputFile> files,
        Map<String, String> rules,
        boolean imagesChecked,
        int items,
        int records,
        long pairs,
        SortedMap<String, Integer> leftOut) {
    /**
     * A raw file.
     *
     * @param role of the file in its source
     * @param path below the folder of raw files
     * @param bytes size of the file
     * @param sha256 of its bytes
     */
    public record InputFile(String role, String path, long bytes, String sha256) implements Serializable {}

    /**
     * The report after a sample was drawn.
     *
     * @param kept number of conversations
     * @param keptPairs of question and answer in them
     */
    public SourceReport sampled(int kept, long keptPairs) {
        SortedMap<String, Integer> counts = new TreeMap<>(leftOut);
        if (kept < records) {
            counts.put(Rule.SAMPLE.key(), records - kept);
        }
        return new SourceReport(
                name, kind, licence, paper, expected, files, rules, imagesChecked, items, kept, keptPairs, counts);
    }

    /** Records minus expected records; 0 if the expected number is not known. */
    public int deviation() {
        return expected == null ? 0 : records - expected;
    }
}
