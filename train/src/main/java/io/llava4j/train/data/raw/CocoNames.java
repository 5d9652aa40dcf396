package io.llava4j.train.data.raw;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names of COCO's images. */
public final class CocoNames {
    private static final Pattern OF_2014 = Pattern.compile("COCO_(?:train|val)2014_(\\d{12}\\.jpg)");

    private CocoNames() {}

    /** The file name of a training image of 2014. */
    static String of2014(String imageId) {
        return "COCO_train2014_" + of2017(imageId);
    }

    /** The file name of an image since 2017: twelve digits. */
    static String of2017(String imageId) {
        try {
            long number = Long.parseLong(imageId);
            if (number >= 0 && number < 1_000_000_000_000L) {
                return "%012d.jpg".formatted(number);
            }
        } catch (NumberFormatException e) {
            throw new BadRecord("its image_id '%s' is not the number of a COCO image".formatted(imageId));
        }
        throw new BadRecord("its image_id %s is not the number of a COCO image".formatted(imageId));
    }

    /**
     * Replaces a file name of 2014 by that of 2017, which names the same image
     * (docs/reference/data.md#raw-schemas); any other path stays as it is.
     */
    public static String renamedTo2017(String path) {
        int slash = path.lastIndexOf('/') + 1;
        Matcher matcher = OF_2014.matcher(path.substring(slash));
        return matcher.matches() ? path.substring(0, slash) + matcher.group(1) : path;
    }
}
