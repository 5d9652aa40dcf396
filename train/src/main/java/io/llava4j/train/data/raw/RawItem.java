package io.llava4j.train.data.raw;

import java.io.Serializable;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one place of a raw file says about one image, or a text without one.
 *
 * @param id of the image, or of the conversation
 * @param image file name as the data set has it, below the source's image folder; null for text
 * @param width of the image in pixels; 0 where the file does not tell
 * @param height of the image in pixels; 0 where the file does not tell
 * @param training whether the data set marks it for training; true where it makes no difference
 * @param annotations at least one
 * @param file where it stands
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
    /** The same with other annotations. */
    public RawItem with(List<? extends Annotation> others) {
        return new RawItem(id, image, width, height, training, others, file, index);
    }
}
