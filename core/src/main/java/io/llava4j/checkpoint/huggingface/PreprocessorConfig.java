package io.llava4j.checkpoint.huggingface;

import io.llava4j.ConfigException;
import io.llava4j.image.PixelScaling;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.VisionConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.IntNode;
import tools.jackson.databind.node.StringNode;

/**
 * The settings of transformers' image processor: preprocessor_config.json, or the image processor in
 * processor_config.json, where transformers 5 puts it (docs/reference/preprocessing.md#processor-constants). Scaling and
 * padding are obeyed; another resampling, size or crop than CLIP's is rejected by name.
 *
 * @param scaling how bytes become floats
 * @param pads whether images are padded to a square
 */
record PreprocessorConfig(PixelScaling scaling, boolean pads) {
    private static final String PROCESSOR_FILE = "processor_config.json";
    private static final int BICUBIC = 3;

    /** Steps that are read below. */
    private static final Set<String> KNOWN_STEPS =
            Set.of("do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb", "do_pad");

    /** Settings that are read below, and those that do not change what the network sees. */
    private static final Set<String> KNOWN = Set.of(
            "image_processor_type",
            "feature_extractor_type",
            "processor_class",
            "auto_map",
            "size",
            "crop_size",
            "resample",
            "rescale_factor",
            "image_mean",
            "image_std",
            "default_to_square",
            "data_format",
            "input_data_format",
            "return_tensors",
            "device",
            "disable_grouping",
            "image_seq_length");

    /** Settings of processors that tile images. */
    private static final Set<String> KNOWN_OF_TILES = Set.of(GridPinpoints.KEY, "aspect_ratio_setting");

    private static final String CLIP_OR_LLAVA = "(CLIP|Llava)(ImageProcessor|FeatureExtractor)(Fast|Pil)?";
    private static final String NEXT = "LlavaNextImageProcessor(Fast|Pil)?";

    /**
     * Reads the files of a folder.
     *
     * @param imageSize edge of the tower's input in pixels
     * @return empty if there are none
     * @throws ConfigException naming file and key, for a step that is not CLIP's
     */
    static Optional<PreprocessorConfig> read(Path directory, int imageSize) {
        return read(directory, imageSize, false);
    }

    /**
     * {@link #read(Path, int)} of a model that may tile images.
     *
     * @param tiles whether it does
     */
    static Optional<PreprocessorConfig> read(Path directory, int imageSize, boolean tiles) {
        Optional<PreprocessorConfig> own =
                config(directory, ModelConfigs.PREPROCESSOR_FILE).map(config -> read(config, imageSize, tiles));
        Optional<PreprocessorConfig> nested = config(directory, PROCESSOR_FILE)
                .flatMap(config -> config.child("image_processor"))
                .map(config -> read(config, imageSize, tiles));
        if (own.isPresent() && nested.isPresent() && !own.equals(nested)) {
            throw new ConfigException("%s and %s prepare images in different ways; remove the one that is stale"
                    .formatted(directory.resolve(ModelConfigs.PREPROCESSOR_FILE), PROCESSOR_FILE));
        }
        return nested.or(() -> own);
    }

    /**
     * Compares what processor_config.json says of an image's tokens with the model.
     *
     * @param keepCls whether the language model reads the tower's CLS token
     * @throws ConfigException naming file and key, if they contradict each other
     */
    static void requireTokensOf(Path directory, VisionConfig vision, boolean keepCls) {
        config(directory, PROCESSOR_FILE).ifPresent(config -> {
            config.requireAbsentOr("patch_size", IntNode.valueOf(vision.patchSize()));
            config.requireAbsentOr("vision_feature_select_strategy", StringNode.valueOf(keepCls ? "full" : "default"));
            config.requireAbsentOr("num_additional_image_tokens", IntNode.valueOf(1));
        });
    }

    /**
     * Compares the canvases of the image processor's files with the model's.
     *
     * @param tile edge of a tile in pixels
     * @throws ConfigException naming file and key, if they contradict each other
     */
    static void requireCanvases(Path directory, List<ImageSize> canvases, int tile) {
        config(directory, ModelConfigs.PREPROCESSOR_FILE)
                .filter(config -> config.has(GridPinpoints.KEY))
                .filter(config -> !GridPinpoints.read(config, tile).equals(canvases))
                .ifPresent(config -> {
                    throw config.bad(GridPinpoints.KEY, "those of " + ModelConfigs.FILE);
                });
    }

    private static Optional<ConfigReader> config(Path directory, String name) {
        Path file = directory.resolve(name);
        return Files.exists(file) ? Optional.of(new ConfigReader(file, "", StrictJson.object(file))) : Optional.empty();
    }

    private static PreprocessorConfig read(ConfigReader config, int imageSize, boolean tiles) {
        boolean next = tiles
                && config.string("image_processor_type")
                        .filter(type -> type.matches(NEXT))
                        .isPresent();
        for (String key : List.of("image_processor_type", "feature_extractor_type")) {
            config.string(key)
                    .filter(type -> !type.matches(next ? NEXT : CLIP_OR_LLAVA))
                    .ifPresent(type -> {
                        throw config.bad(key, "CLIP's or LLaVA's");
                    });
        }
        for (String key : config.node().propertyNames()) {
            if (key.startsWith("do_") && !KNOWN_STEPS.contains(key)) {
                config.requireAbsentOr(key, BooleanNode.FALSE);
            } else if (next && KNOWN_OF_TILES.contains(key)) {
                continue;
            } else if (!key.startsWith("do_") && !key.startsWith("_") && !KNOWN.contains(key) && config.has(key)) {
                throw config.bad(key, "CLIP's preprocessing, without it");
            }
        }
        for (String key : List.of("do_resize", "do_center_crop", "do_convert_rgb")) {
            config.requireAbsentOr(key, BooleanNode.TRUE);
        }
        config.requireAbsentOr("resample", IntNode.valueOf(BICUBIC));
        requireEdge(config, "size", List.of("shortest_edge"), imageSize);
        requireEdge(config, "crop_size", List.of("height", "width"), imageSize);
        // The padding of a processor that tiles fills batches.
        return new PreprocessorConfig(scaling(config), !next && config.flag("do_pad", false));
    }

    private static void requireEdge(ConfigReader config, String key, List<String> sides, int imageSize) {
        String wanted = "the tower's image size, %d, as %s".formatted(imageSize, String.join(" and ", sides));
        if (!config.has(key)) {
            return;
        }
        JsonNode value = config.node().get(key);
        if (!value.isObject()) {
            if (config.size(key, imageSize) != imageSize) {
                throw config.bad(key, wanted);
            }
            return;
        }
        for (String name : value.propertyNames()) {
            JsonNode side = value.get(name);
            if (!side.isNull() && !(sides.contains(name) && side.isIntegralNumber() && side.intValue() == imageSize)) {
                throw config.bad(key, wanted);
            }
        }
    }

    private static PixelScaling scaling(ConfigReader config) {
        PixelScaling clip = PixelScaling.CLIP;
        List<Double> mean = config.numbers("image_mean").orElse(clip.mean());
        if (!PixelScaling.isMean(mean)) {
            throw config.bad("image_mean", "three numbers from 0 to 1");
        }
        List<Double> std = config.numbers("image_std").orElse(clip.std());
        if (!PixelScaling.isStd(std)) {
            throw config.bad("image_std", "three numbers above 0");
        }
        double factor = config.flag("do_rescale", true) ? config.positive("rescale_factor", clip.rescaleFactor()) : 1;
        return new PixelScaling(factor, config.flag("do_normalize", true), mean, std);
    }
}
