package io.llava4j.checkpoint.huggingface;

import io.llava4j.ConfigException;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.Tiling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/**
 * The canvases of models that tile images, as configurations list them (docs/reference/preprocessing.md#anyres). A pair is
 * width and height in all of them: LLaVA reads it so, and transformers, which reads height and width, was given the same lists.
 */
final class GridPinpoints {
    static final String KEY = "image_grid_pinpoints";

    private static final String ASPECT = "image_aspect_ratio";
    private static final String MERGE = "mm_patch_merge_type";
    private static final Pattern PAIR = Pattern.compile("[\\[(]\\s*(\\d{1,5})\\s*,\\s*(\\d{1,5})\\s*[\\])]");
    private static final Pattern LIST = Pattern.compile("\\[\\s*(" + PAIR + "\\s*(,\\s*|(?=\\])))+\\]\\s*");

    private GridPinpoints() {}

    /**
     * Of a configuration of LLaVA's own.
     *
     * @param keepCls whether the language model reads the tower's CLS token
     * @param tile edge of a tile in pixels
     * @throws ConfigException naming file and key, for a way to merge tiles that LLaVA does not know or that needs tiles
     */
    static Tiling ofLlava(ConfigReader config, boolean keepCls, int tile) {
        if (config.string(ASPECT).filter("anyres"::equals).isEmpty()) {
            config.requireAbsentOr(MERGE, StringNode.valueOf(PatchMerge.FLAT.configName()));
            return Tiling.NONE;
        }
        PatchMerge merge = PatchMerge.named(config.string(MERGE).orElse(PatchMerge.FLAT.configName()))
                .orElseThrow(() -> config.bad(MERGE, "flat, spatial or spatial_unpad"));
        if (keepCls) {
            throw config.bad("mm_vision_select_feature", "patch, because image_aspect_ratio is anyres");
        }
        return new Tiling(read(config, tile), merge);
    }

    /** Of a configuration of transformers' LLaVA-NeXT. */
    static Tiling ofNext(Path directory, ConfigReader config, boolean keepCls, int tile) {
        config.requireAbsentOr("use_image_newline_parameter", BooleanNode.TRUE);
        if (keepCls) {
            throw config.bad("vision_feature_select_strategy", "default, because images are tiled");
        }
        List<ImageSize> canvases = read(config, tile);
        PreprocessorConfig.requireCanvases(directory, canvases, tile);
        return new Tiling(canvases, PatchMerge.SPATIAL_UNPAD);
    }

    /**
     * Reads the list, which may be a text that looks like one.
     *
     * @param tile edge of a tile in pixels
     * @throws ConfigException naming file and key, if it is absent, or a canvas does not consist of whole tiles
     */
    static List<ImageSize> read(ConfigReader config, int tile) {
        JsonNode value = config.node().path(KEY);
        String text = value.isString() ? value.asString() : value.toString();
        if (!LIST.matcher(text.strip()).matches()) {
            throw bad(config, tile);
        }
        List<ImageSize> canvases = new ArrayList<>();
        Matcher pair = PAIR.matcher(text);
        while (pair.find()) {
            int width = Integer.parseInt(pair.group(1));
            int height = Integer.parseInt(pair.group(2));
            if (!Tiling.isWhole(width, tile) || !Tiling.isWhole(height, tile)) {
                throw bad(config, tile);
            }
            canvases.add(new ImageSize(width, height));
        }
        return List.copyOf(canvases);
    }

    private static ConfigException bad(ConfigReader config, int tile) {
        return config.bad(
                KEY,
                "a list of [width, height], in multiples of the tower's image size, " + tile
                        + ", for images that are tiled (image_aspect_ratio anyres)");
    }

    /** Writes the list. */
    static void write(ObjectNode node, List<ImageSize> canvases) {
        ArrayNode list = node.putArray(KEY);
        canvases.forEach(canvas -> list.addArray().add(canvas.width()).add(canvas.height()));
    }
}
