package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.TileGrid;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * How images of many sizes are tiled, against LLaVA's own code: canvas, place of the image on it, kept features, number and order
 * of the image tokens. The folder holds {@code geometry.json}.
 */
public final class GeometrySuite implements Suite {
    private static final String NAME = "geometry";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean accepts(Path dir) {
        return Files.isRegularFile(dir.resolve("geometry.json"));
    }

    @Override
    public boolean ownsSubfolders() {
        return false;
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        Path file = dir.resolve("geometry.json");
        JsonNode root;
        try {
            root = JsonMapper.builder().build().readTree(file.toFile());
        } catch (JacksonException e) {
            throw new DataException(
                    "%s is not readable JSON (%s); get an intact copy".formatted(file, e.getOriginalMessage()), e);
        }
        for (JsonNode set : root.path("sets")) {
            List<ImageSize> canvases =
                    set.path("pinpoints").valueStream().map(GeometrySuite::size).toList();
            for (JsonNode expected : set.path("cases")) {
                ImageSize image = size(expected.path("size"));
                String name = "%s %d x %d".formatted(set.path("name").asString(), image.width(), image.height());
                String difference = difference(
                        TileGrid.choose(image, canvases, set.path("tile").asInt()),
                        set.path("cells_per_side").asInt(),
                        expected);
                out.accept(CaseResult.exact(NAME, name, difference.isEmpty(), difference));
            }
        }
    }

    private static String difference(TileGrid grid, int cells, JsonNode expected) {
        ImageSize resized = grid.resized();
        TileGrid.Kept kept = grid.kept(cells);
        FeatureOrder order = grid.order(cells, PatchMerge.SPATIAL_UNPAD);
        StringBuilder text = new StringBuilder();
        compare(
                text,
                expected,
                "best_resolution",
                grid.canvas().width(),
                grid.canvas().height());
        compare(text, expected, "grid", grid.across(), grid.down());
        compare(
                text,
                expected,
                "resized_box",
                grid.left(),
                grid.top(),
                grid.left() + resized.width(),
                grid.top() + resized.height());
        compare(text, expected, "rows", kept.fromRow(), kept.toRow());
        compare(text, expected, "columns", kept.fromColumn(), kept.toColumn());
        if (expected.has("merged_order")) {
            compare(text, expected, "merged_order", order.sources());
        }
        int tokens = expected.path("image_tokens").asInt();
        if (order.tokens(cells * cells) != tokens) {
            text.append("image_tokens is %d, not %d; ".formatted(order.tokens(cells * cells), tokens));
        }
        return text.toString();
    }

    private static void compare(StringBuilder text, JsonNode expected, String key, int... actual) {
        int[] wanted = ReferenceJson.ints(expected.path(key));
        if (!Arrays.equals(wanted, actual)) {
            text.append("%s is %s, not %s; ".formatted(key, Arrays.toString(actual), Arrays.toString(wanted)));
        }
    }

    static ImageSize size(JsonNode pair) {
        return new ImageSize(pair.path(0).asInt(), pair.path(1).asInt());
    }
}
