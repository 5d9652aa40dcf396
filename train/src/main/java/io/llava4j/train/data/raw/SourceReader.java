package io.llava4j.train.data.raw;

import java.util.function.Consumer;

/** Reads the raw files of one data set. */
@FunctionalInterface
public interface SourceReader {
    /**
     * Reads all files of the source.
     *
     * @param files of the source
     * @param problems takes records that cannot be used
     * @param out takes the items, in the files' order
     * @throws io.llava4j.DataException naming file and record, if a file cannot be read completely
     */
    void read(SourceFiles files, Problems problems, Consumer<RawItem> out);
}
