package io.llava4j.spark;

import io.llava4j.train.data.mixture.SourceSteps;
import java.io.Serializable;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Counts of a source.
 *
 * @param records conversations
 * @param pairs of question and answer in them
 * @param textOnly conversations without an image
 * @param leftOut counts by rule
 * @param read the end of its reading; null in partial counts
 */
record SourceCounts(
        int records, long pairs, int textOnly, SortedMap<String, Integer> leftOut, StepResult.@Nullable SourceRead read)
        implements Serializable {
    static final SourceCounts NONE = new SourceCounts(0, 0, 0, new TreeMap<>(), null);

    static int source(StepResult result) {
        return switch (result) {
            case StepResult.Filtered filtered -> filtered.position().source();
            case StepResult.Built built -> built.position().source();
            case StepResult.Rejected rejected -> rejected.position().source();
            case StepResult.SourceRead read -> read.source();
            case StepResult.SourceFailed failed -> failed.source();
        };
    }

    static SourceCounts of(StepResult result) {
        return switch (result) {
            case StepResult.Filtered filtered -> NONE;
            case StepResult.SourceFailed failed -> NONE;
            case StepResult.Built built ->
                new SourceCounts(1, built.record().pairs(), built.record().hasImage() ? 0 : 1, new TreeMap<>(), null);
            case StepResult.Rejected rejected ->
                new SourceCounts(
                        0, 0, 0, new TreeMap<>(Map.of(rejected.rejection().rule(), 1)), null);
            case StepResult.SourceRead read -> new SourceCounts(0, 0, 0, new TreeMap<>(), read);
        };
    }

    SourceCounts plus(SourceCounts other) {
        SortedMap<String, Integer> both = new TreeMap<>(leftOut);
        other.leftOut.forEach((rule, count) -> both.merge(rule, count, Integer::sum));
        return new SourceCounts(
                records + other.records,
                pairs + other.pairs,
                textOnly + other.textOnly,
                both,
                read == null ? other.read : read);
    }

    /** Events that reading gave. */
    long results() {
        return read == null ? 0 : read.results();
    }

    /** What was read; known after all results were counted. */
    SourceSteps.Reading reading() {
        if (read == null) {
            throw new IllegalStateException("a source was not read completely");
        }
        return read.reading();
    }
}
