package io.llava4j.train.data.raw;

import io.llava4j.train.data.SkippedRecord;

/** Told of every record that cannot be used. */
@FunctionalInterface
public interface Problems {
    /** @throws io.llava4j.DataException if a bad record ends the work */
    void skip(SkippedRecord record);
}
