package io.llava4j.train.data.format;

import io.llava4j.DataException;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.RgbImage;

/** The images of a data set, in a folder or inside the data set's own files. Safe for use by many threads. */
public interface Images extends AutoCloseable {
    /**
     * Reads the file of an image.
     *
     * @param image name as the record has it
     * @throws DataException if it is missing, unreadable, larger than {@link ImageDecoder#MAX_FILE_BYTES} or may not be read
     */
    byte[] bytes(String image);

    /**
     * Checks that an image is there, without reading it.
     *
     * @param image name as the record has it
     * @throws DataException if it is missing or may not be read
     */
    default void require(String image) {}

    /**
     * Bytes of the file of an image.
     *
     * @param image name as the record has it
     * @throws DataException if it is missing or may not be read
     */
    default long size(String image) {
        return bytes(image).length;
    }

    /**
     * Decodes an image; an orientation tag is ignored.
     *
     * @param image name as the record has it
     * @throws DataException as {@link #bytes}, and if it is damaged, too large or of an unknown format
     */
    default RgbImage decode(String image) {
        return decode(image, ExifOrientation.IGNORE);
    }

    /**
     * Decodes an image.
     *
     * @param image name as the record has it
     * @param orientation what becomes of an orientation tag
     * @throws DataException as {@link #decode(String)}
     */
    default RgbImage decode(String image, ExifOrientation orientation) {
        return ImageDecoder.decode(bytes(image), "'" + image + "'", orientation);
    }

    /** Closes open files. */
    @Override
    default void close() {}
}
