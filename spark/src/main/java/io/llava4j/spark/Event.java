package io.llava4j.spark;

import io.llava4j.train.data.mixture.MixtureRecord;
import io.llava4j.train.data.mixture.Rejection;
import io.llava4j.train.data.mixture.SourceSteps;
import io.llava4j.train.data.raw.RawItem;
import java.io.Serializable;

/** What a step gives. */
sealed interface Event extends Serializable {
    /** An item that was read and settled. */
    record Settled(Place place, RawItem item) implements Event {}

    /** A finished conversation. */
    record Built(Place place, MixtureRecord record) implements Event {}

    /** Something that was left out. */
    record Skipped(Place place, Rejection left) implements Event {}

    /**
     * A source that was read to its end.
     *
     * @param source its place in the recipe
     * @param reading what was read
     * @param events that it gave
     */
    record Read(int source, SourceSteps.Reading reading, long events) implements Event {}

    /**
     * A source that cannot be read to its end. No task fails for it: trying again would not help.
     *
     * @param source its place in the recipe
     * @param reason the error in one sentence
     */
    record Failed(int source, String reason) implements Event {}
}
