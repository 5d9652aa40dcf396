package io.llava4j.train.data.format;

import io.llava4j.DataException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Several images of one sample of a shard: {@code KEY.0.jpg}, {@code KEY.1.png} …, or with a word before the number as in
 * {@code KEY.img0.jpg}. The numbers are their order, begin with 0 or 1 and have no gap.
 */
final class NumberedImages {
    /** The part of a name after {@code KEY}: word, number, extension. */
    private static final Pattern NAME = Pattern.compile("\\.(\\D*?)(\\d{1,4})\\.[^.]+");

    private NumberedImages() {}

    /**
     * The images of a sample in their order.
     *
     * @throws DataException if there are several and their names do not give their order
     */
    static List<TarEntries.Entry> inOrder(List<TarEntries.Entry> images) {
        if (images.size() < 2) {
            return images;
        }
        TreeMap<Integer, TarEntries.Entry> byNumber = new TreeMap<>();
        List<String> words = new ArrayList<>();
        for (TarEntries.Entry image : images) {
            String ending = image.name().substring(TarRows.endOfKey(image.name()));
            Matcher name = NAME.matcher(ending);
            if (!name.matches()) {
                throw new DataException(
                        ending.indexOf('.', 1) > 0
                                ? dotted(image)
                                : "it has %d images and their names have no order; call them KEY.0.jpg, KEY.1.jpg"
                                        .formatted(images.size()));
            }
            words.add(name.group(1));
            if (byNumber.put(Integer.parseInt(name.group(2)), image) != null) {
                throw new DataException(
                        "two of its images have the number %s; give each its own".formatted(name.group(2)));
            }
        }
        int first = byNumber.firstKey();
        if (first > 1
                || byNumber.lastKey() - first != images.size() - 1
                || words.stream().distinct().count() > 1) {
            throw new DataException(dotted(images.getLast()));
        }
        return List.copyOf(byNumber.values());
    }

    /** Says that the first dot of a name is the reason. */
    static String dotted(TarEntries.Entry image) {
        return "'%s' belongs to it because a sample's name ends at the first dot; rename files to have one dot, or number the images of a sample KEY.0.jpg, KEY.1.jpg …"
                .formatted(image.name());
    }
}
