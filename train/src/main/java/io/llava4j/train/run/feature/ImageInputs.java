package io.llava4j.train.run.feature;

import io.llava4j.image.ExifOrientation;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.train.data.ImageInput;
import io.llava4j.train.data.LlavaRecord;
import io.llava4j.train.data.format.Images;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Loads the images of records; safe for use by many threads.
 *
 * @param images their files
 * @param orientation what becomes of orientation tags
 * @param preparation makes of them what the vision tower reads
 * @param cache features that are known already; null without a cache
 */
public record ImageInputs(
        Images images,
        ExifOrientation orientation,
        ImagePreparation preparation,
        @Nullable FeatureCache cache) {
    /** An image by its path in a record: its features where the cache has them, which saves decoding it, or its pixels. */
    public ImageInput load(String image) {
        if (cache == null) {
            return ImageInput.of(prepared(image));
        }
        String key = cache.key(images.bytes(image));
        FeatureCache.Entry known = cache.find(key);
        return known == null
                ? new ImageInput(prepared(image), key, null)
                : new ImageInput(new PreparedImage(new float[0], known.order()), key, known.features());
    }

    private PreparedImage prepared(String image) {
        return preparation.prepare(images.decode(image, orientation));
    }

    /** How much the cache will hold, for the user. */
    public Optional<String> sentence(List<LlavaRecord> records) {
        if (cache == null) {
            return Optional.empty();
        }
        long distinct = records.stream()
                .flatMap(record -> record.images().stream())
                .distinct()
                .count();
        return Optional.of(String.format(
                Locale.ROOT,
                "data.feature-cache %s: the features of %,d images take %,.1f MB at most",
                cache.directory(),
                distinct,
                distinct * (double) cache.largestFile() / 1e6));
    }
}
