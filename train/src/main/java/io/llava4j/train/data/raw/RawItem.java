package io.llava4j.train.data.raw;

import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The annotations of one image in one record of a raw file, or a conversation without an image.
 *
 * @param id of the image, or of the conversation
 * @param image file name as the data set has it, below the source's image folder; null for text only
 * @param width of the image in pixels; 0 if the file does not say
 * @param height of the image in pixels; 0 if the file does not say
 * @param training whether the data set marks it for training; true if it makes no difference
 * @param annotations at least one
 * @param file that holds the record
 * @param index number of the record in the file, from 0
 */
public record RawItem(
        String id,
        @Nullable String image,
        int width,
        int height,
        boolean training,
        List<? extends Annotation> annotations,
        String file,
        int index)
        implements Serializable {
    /** A copy with other annotations. */
    public RawItem with(List<? extends Annotation> others) {
        return new RawItem(id, image, width, height, training, others, file, index);
    }
}
