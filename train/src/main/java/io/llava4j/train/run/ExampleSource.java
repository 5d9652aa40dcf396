package io.llava4j.train.run;

import io.llava4j.train.data.Batch;
import io.llava4j.train.data.LlavaData;
import io.llava4j.train.data.SkippedRecord;
import io.llava4j.train.run.input.RunInputs;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Micro-batches of a run; the same step and index give the same samples in every run. */
public interface ExampleSource extends AutoCloseable {
    /** Samples of one epoch. */
    int size();

    /**
     * A micro-batch; steps come in order, but the first may be any.
     *
     * @param step optimiser step, from 0
     * @param micro index within the step, from 0
     * @return null where the epoch's last step has no such micro-batch
     */
    @Nullable
    Batch batch(int step, int micro);

    /** Every record left out so far. */
    default List<SkippedRecord> skipped() {
        return List.of();
    }

    /**
     * Takes note of what other processes left out since the step before.
     *
     * @throws io.llava4j.DataException if too many records are left out by all together
     */
    default void skippedElsewhere(List<SkippedRecord> records) {}

    /** Fingerprints of what is read besides the recipe; called before the first step. */
    default RunInputs inputs() {
        return RunInputs.NONE;
    }

    /** The data sets of the run; empty if it has only one. */
    default List<LlavaData.Part> dataSets() {
        return List.of();
    }

    /** Sentences for the user before the first step, such as how many records are left out. */
    default List<String> notes() {
        return List.of();
    }

    @Override
    default void close() {}
}
