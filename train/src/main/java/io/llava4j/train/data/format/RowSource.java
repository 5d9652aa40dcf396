package io.llava4j.train.data.format;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Reads one kind of file. */
@FunctionalInterface
interface RowSource {
    /**
     * Reads all rows.
     *
     * @return the images that came with them; null where images are files of their own
     * @throws io.llava4j.DataException if the file cannot be read on from some place
     */
    @Nullable
    Images read(RecordHandler sink) throws IOException;
}
