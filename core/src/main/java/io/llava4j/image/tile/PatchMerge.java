package io.llava4j.image.tile;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** {@code mm_patch_merge_type} of LLaVA: how the features of an image's views become its tokens (docs/reference/preprocessing.md#anyres). */
public enum PatchMerge {
    /** All features of one view after those of the other. */
    FLAT,
    /** Those of the whole image, then the tiles' as one map, row by row. */
    SPATIAL,
    /** As {@link #SPATIAL}, without features of padding, and with the row-end token after each row of the map. */
    SPATIAL_UNPAD;

    /** As configurations write it. */
    public String configName() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The type of a name in a configuration; empty for one that LLaVA does not know. */
    public static Optional<PatchMerge> named(String name) {
        return Arrays.stream(values())
                .filter(merge -> merge.configName().equals(name))
                .findFirst();
    }
}
