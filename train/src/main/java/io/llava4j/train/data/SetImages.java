package io.llava4j.train.data;

import io.llava4j.DataException;
import io.llava4j.image.ExifOrientation;
import io.llava4j.image.RgbImage;
import io.llava4j.train.data.format.Images;
import java.util.Map;

/** Images of several data sets; a name is that of the set, a slash and the name within it. */
final class SetImages implements Images {
    private final Map<String, Images> sets;

    /** @param sets images by name of the set; closed with the sets */
    SetImages(Map<String, Images> sets) {
        this.sets = Map.copyOf(sets);
    }

    /** Name of a set's image. */
    static String name(String set, String image) {
        return set + "/" + image;
    }

    @Override
    public byte[] bytes(String image) {
        return of(image).bytes(within(image));
    }

    @Override
    public void require(String image) {
        of(image).require(within(image));
    }

    @Override
    public long size(String image) {
        return of(image).size(within(image));
    }

    @Override
    public RgbImage decode(String image, ExifOrientation orientation) {
        return of(image).decode(within(image), orientation);
    }

    private Images of(String image) {
        Images images = sets.get(image.substring(0, Math.max(0, image.indexOf('/'))));
        if (images == null) {
            throw new DataException("image '%s' is in none of the data sets %s".formatted(image, sets.keySet()));
        }
        return images;
    }

    private static String within(String image) {
        return image.substring(image.indexOf('/') + 1);
    }
}
