package io.llava4j.train.data.mixture;

import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What became of one source.
 *
 * @param name in the recipe
 * @param kind form of its raw files
 * @param licence of the data
 * @param paper the number the paper has for it; may be empty
 * @param expected conversations it should give; null if not known
 * @param files its raw files
 * @param rules their values by key
 * @param imagesChecked whether the images were looked for
 * @param items read from the raw files
 * @param records conversations it gives
 * @param pairs questions with answers in them
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
     * @param role the part it plays
     * @param path below the folder of raw files
     * @param bytes its size
     * @param sha256 of its bytes
     */
    public record InputFile(String role, String path, long bytes, String sha256) implements Serializable {}

    /**
     * The same after a sample was drawn.
     *
     * @param kept conversations
     * @param keptPairs in them
     */
    public SourceReport sampled(int kept, long keptPairs) {
        SortedMap<String, Integer> left = new TreeMap<>(leftOut);
        if (kept < records) {
            left.put(Rule.SAMPLE.key(), records - kept);
        }
        return new SourceReport(
                name, kind, licence, paper, expected, files, rules, imagesChecked, items, kept, keptPairs, left);
    }

    /** Records more than expected, negative for fewer; 0 if nothing is expected. */
    public int deviation() {
        return expected == null ? 0 : records - expected;
    }
}
