package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.Tiling;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.train.config.Require;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a recipe says about images in tiles (docs/reference/preprocessing.md#anyres).
 *
 * @param grids width and height of each canvas; null if the recipe names none
 * @param merge how tiles become tokens; null if the recipe does not say
 */
record TilingKeys(
        @Nullable List<List<Integer>> grids, @Nullable PatchMerge merge) {
    private static final String RELEASED = "[[336, 672], [672, 336], [672, 672], [1008, 336], [336, 1008]]";

    /**
     * Checks what needs no model.
     *
     * @throws ConfigException if a canvas is not a pair, or there is none
     */
    static void check(@Nullable List<List<Integer>> grids) {
        if (grids != null) {
            Require.that(!grids.isEmpty(), "image-grids is empty; write canvases such as " + RELEASED);
            for (List<Integer> grid : grids) {
                Require.that(
                        grid.size() == 2,
                        "image-grids has %s, which is no [width, height] in pixels; write canvases such as %s"
                                .formatted(grid, RELEASED));
            }
        }
    }

    /**
     * A model that sees images as a recipe says.
     *
     * @param model as its files describe it
     * @param where these files are, for messages
     * @throws ConfigException if the model tiles images otherwise, or cannot
     */
    LlavaConfig applyTo(LlavaConfig model, AspectMode aspect, String where) {
        boolean tiles = !model.tiling().isNone();
        if (aspect != AspectMode.ANYRES) {
            Require.that(
                    !tiles,
                    "%s reads images in tiles; set data.image-aspect-ratio to anyres, or start from a model that does not"
                            .formatted(where));
            return model.withAspectMode(aspect);
        }
        Require.that(
                !model.keepCls(),
                "%s reads the CLS feature, which has no place in a map of tiles; data.image-aspect-ratio cannot be anyres"
                        .formatted(where));
        if (!tiles) {
            return model.withTiling(tiling(model.vision().imageSize(), where)).withAspectMode(aspect);
        }
        Require.that(
                (grids == null || canvases(grids).equals(model.tiling().canvases()))
                        && (merge == null || merge == model.tiling().merge()),
                "model.image-grids or model.patch-merge-type differs from that of %s, which has learnt to read its own; remove both keys"
                        .formatted(where));
        return model.withAspectMode(aspect);
    }

    /** @param tile edge of the vision tower's input */
    private Tiling tiling(int tile, String where) {
        if (grids == null) {
            throw new ConfigException(
                    "data.image-aspect-ratio is anyres, but %s knows no canvases; set model.image-grids, for example to %s"
                            .formatted(where, RELEASED));
        }
        for (List<Integer> grid : grids) {
            Require.that(
                    grid.stream().allMatch(length -> Tiling.isWhole(length, tile)),
                    "model.image-grids has %s, but width and height must be multiples of the vision tower's %d pixels, up to %d"
                            .formatted(grid, tile, Tiling.LONGEST));
        }
        return new Tiling(canvases(grids), merge == null ? PatchMerge.FLAT : merge);
    }

    private static List<ImageSize> canvases(List<List<Integer>> grids) {
        return grids.stream()
                .map(grid -> new ImageSize(grid.getFirst(), grid.getLast()))
                .toList();
    }
}
