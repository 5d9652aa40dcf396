package io.llava4j.spark;

import io.llava4j.train.data.mixture.MixtureRecord;
import io.llava4j.train.data.mixture.Rejection;
import io.llava4j.train.data.mixture.SourceSteps;
import io.llava4j.train.data.raw.RawItem;
import java.io.Serializable;

/** One result of a step. */
sealed interface StepResult extends Serializable {
    /** An item that was read and filtered. */
    record Filtered(SourcePosition position, RawItem item) implements StepResult {}

    /** A finished conversation. */
    record Built(SourcePosition position, MixtureRecord record) implements StepResult {}

    /** Something that was left out. */
    record Rejected(SourcePosition position, Rejection rejection) implements StepResult {}

    /**
     * The end of a source that was read completely.
     *
     * @param source index of the source in the recipe
     * @param reading what was read
     * @param results number of filtered items and rejections
     */
    record SourceRead(int source, SourceSteps.Reading reading, long results) implements StepResult {}

    /**
     * A source that cannot be read. Its task does not fail: trying again would not help.
     *
     * @param source index of the source in the recipe
     * @param reason the error in one sentence
     */
    record SourceFailed(int source, String reason) implements StepResult {}
}
