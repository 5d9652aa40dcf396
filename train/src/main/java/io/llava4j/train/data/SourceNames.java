package io.llava4j.train.data;

import java.util.HashSet;
import java.util.Set;

/** Names of the sources whose losses a run compares. */
public final class SourceNames {
    /** With more, the field {@code source} names records rather than sources. */
    public static final int MAX = 40;
    /** Name of records without a source where others have one. */
    static final String NONE = "(no source)";

    private SourceNames() {}

    /** The data, without sources if they are too many to compare, or fewer than two. */
    public static LlavaData compared(LlavaData data) {
        Set<String> names = new HashSet<>();
        for (LlavaRecord record : data.records()) {
            names.add(record.source());
            if (names.size() > MAX) {
                break;
            }
        }
        if (!data.parts().isEmpty() || names.equals(Set.of(""))) {
            return data;
        }
        boolean few = names.size() >= 2 && names.size() <= MAX;
        return data.withRecords(data.records().stream()
                .map(record -> record.withSource(!few ? "" : record.source().isEmpty() ? NONE : record.source()))
                .toList());
    }
}
