package io.llava4j.train.data.format;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Reads data sets in one file format. */
@FunctionalInterface
interface RowSource {
    /**
     * Reads all rows.
     *
     * @return the images inside the data set; null if images are separate files
     * @throws io.llava4j.DataException if the rest of a file cannot be read
     */
    @Nullable
    Images read(RecordHandler handler) throws IOException;
}
