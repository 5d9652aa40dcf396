package io.llava4j.train.data.raw;

import java.util.function.Consumer;

/** Reads the raw files of one data set. */
@FunctionalInterface
public interface SourceReader {
    /**
     * Reads everything once.
     *
     * @param files of the source
     * @param problems told of records that cannot be used
     * @param out takes what was read, in the files' order
     * @throws io.llava4j.DataException naming file and record, if a file cannot be read to its end
     */
    void read(SourceFiles files, Problems problems, Consumer<RawItem> out);
}
