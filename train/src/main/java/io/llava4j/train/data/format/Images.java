package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;

/** Where the images of a data set are: a folder, or the archive the records came in. Safe for use by many threads. */
public interface Images extends AutoCloseable {
    /**
     * Content of an image's file.
     *
     * @param image name as the record has it
     * @throws DataException if it is missing, unreadable, larger than {@link ImageDecoder#MAX_FILE_BYTES} or may not be read
     */
    byte[] bytes(String image);

    /**
     * An image's pixels.
     *
     * @param image name as the record has it
     * @throws DataException as {@link #bytes}, and if it is damaged, too large or of an unknown kind
     */
    default RgbImage decode(String image) {
        return ImageDecoder.decode(bytes(image), "'" + image + "'");
    }

    /** Lets go of open files. */
    @Override
    default void close() {}
}
