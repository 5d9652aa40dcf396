package io.llava4j.spark;

import io.llava4j.train.data.mixture.SourceSteps;
import java.io.Serializable;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is counted of a source.
 *
 * @param records conversations
 * @param pairs in them
 * @param textOnly conversations without an image
 * @param leftOut counts by rule
 * @param read once it was read; null in parts of the count
 */
record Tally(int records, long pairs, int textOnly, SortedMap<String, Integer> leftOut, Event.@Nullable Read read)
        implements Serializable {
    static final Tally NOTHING = new Tally(0, 0, 0, new TreeMap<>(), null);

    static int source(Event event) {
        return switch (event) {
            case Event.Settled settled -> settled.place().source();
            case Event.Built built -> built.place().source();
            case Event.Skipped skipped -> skipped.place().source();
            case Event.Read read -> read.source();
            case Event.Failed failed -> failed.source();
        };
    }

    static Tally of(Event event) {
        return switch (event) {
            case Event.Settled settled -> NOTHING;
            case Event.Failed failed -> NOTHING;
            case Event.Built built ->
                new Tally(1, built.record().pairs(), built.record().hasImage() ? 0 : 1, new TreeMap<>(), null);
            case Event.Skipped skipped ->
                new Tally(0, 0, 0, new TreeMap<>(Map.of(skipped.left().rule(), 1)), null);
            case Event.Read read -> new Tally(0, 0, 0, new TreeMap<>(), read);
        };
    }

    Tally plus(Tally other) {
        SortedMap<String, Integer> both = new TreeMap<>(leftOut);
        other.leftOut.forEach((rule, count) -> both.merge(rule, count, Integer::sum));
        return new Tally(
                records + other.records,
                pairs + other.pairs,
                textOnly + other.textOnly,
                both,
                read == null ? other.read : read);
    }

    /** Events that reading gave. */
    long events() {
        return read == null ? 0 : read.events();
    }

    /** What was read; there once all events were counted. */
    SourceSteps.Reading reading() {
        if (read == null) {
            throw new IllegalStateException("a source was not read to its end");
        }
        return read.reading();
    }
}
