package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.image.AspectMode;
import io.llava4j.image.ImageDecoder;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.ImageProcessor;
import io.llava4j.image.RgbImage;
import io.llava4j.image.tile.PatchMerge;
import io.llava4j.image.tile.Tiling;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Image decoding, resizing and normalisation against hashes made with Pillow and CLIPImageProcessor; all comparisons
 * are bit-exact. The folder holds {@code images/} and an {@code expected.json}, which alone decides what is compared:
 * {@code crop_SIZE}, {@code pad_SIZE} and {@code anyres_SIZE} per image, and top-level entries of images that must be refused.
 */
public final class PreprocessSuite implements Suite {
    private static final String NAME = "preprocess";
    private static final Pattern TARGET = Pattern.compile("(crop|pad|anyres)_([1-9][0-9]{0,3})");

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public boolean accepts(Path dir) {
        return Files.isDirectory(dir.resolve("images")) && Files.isRegularFile(dir.resolve("expected.json"));
    }

    @Override
    public void run(Path dir, Consumer<CaseResult> out) {
        Path file = dir.resolve("expected.json");
        JsonNode expected;
        try {
            expected = JsonMapper.builder().build().readTree(file.toFile());
        } catch (JacksonException e) {
            throw new DataException(
                    "%s is not readable JSON (%s); get an intact copy".formatted(file, e.getOriginalMessage()), e);
        }
        if (!expected.path("images").isArray()) {
            throw new DataException("%s has no list \"images\"; it is not preprocess reference data".formatted(file));
        }
        List<Double> mean = constants(expected, "image_mean", ImageProcessor.CLIP_MEAN);
        List<Double> std = constants(expected, "image_std", ImageProcessor.CLIP_STD);
        for (JsonNode image : expected.path("images")) {
            image(dir.resolve("images"), image, mean, std, out);
        }
        for (Map.Entry<String, JsonNode> entry : expected.properties()) {
            if (entry.getValue().has("pillow_raises")) {
                out.accept(refusal(dir.resolve("images"), entry.getKey()));
            }
        }
    }

    private static void image(
            Path images, JsonNode expected, List<Double> mean, List<Double> std, Consumer<CaseResult> out) {
        String name = expected.path("file").asString();
        RgbImage image;
        try {
            image = ImageDecoder.decode(images.resolve(name));
        } catch (DataException e) {
            out.accept(CaseResult.exact(NAME, name + " decode", false, String.valueOf(e.getMessage())));
            return;
        }
        out.accept(compare(name + " decode", image.pixels(), expected, "rgb_sha256"));
        for (Map.Entry<String, JsonNode> entry : expected.properties()) {
            Matcher target = TARGET.matcher(entry.getKey());
            if (target.matches()) {
                AspectMode mode = AspectMode.valueOf(target.group(1).toUpperCase(Locale.ROOT));
                ImageProcessor processor = new ImageProcessor(Integer.parseInt(target.group(2)), mode, mean, std);
                String label = name + " " + entry.getKey();
                if (mode == AspectMode.ANYRES) {
                    tiled(label, image, processor, entry.getValue(), out);
                    continue;
                }
                out.accept(compare(
                        label + " resized",
                        processor.resize(image).pixels(),
                        entry.getValue(),
                        "resized_rgb_hwc_sha256"));
                out.accept(compare(
                        label + " pixel_values",
                        littleEndian(processor.process(image)),
                        entry.getValue(),
                        "pixel_values_chw_f32le_sha256"));
            }
        }
    }

    private static void tiled(
            String label, RgbImage image, ImageProcessor processor, JsonNode expected, Consumer<CaseResult> out) {
        ImagePreparation preparation = new ImagePreparation(
                processor,
                new Tiling(
                        expected.path("pinpoints")
                                .valueStream()
                                .map(GeometrySuite::size)
                                .toList(),
                        PatchMerge.SPATIAL_UNPAD),
                1);
        out.accept(compare(label + " padded", preparation.canvas(image).pixels(), expected, "padded_rgb_hwc_sha256"));
        JsonNode hashes = expected.path("tiles_rgb_hwc_sha256");
        List<RgbImage> views = preparation.views(image);
        out.accept(CaseResult.exact(
                NAME,
                label + " views",
                views.stream()
                        .map(view -> sha256(view.pixels()))
                        .toList()
                        .equals(hashes.valueStream().map(JsonNode::asString).toList()),
                "their hashes are not those of tiles_rgb_hwc_sha256"));
        out.accept(compare(
                label + " pixel_values",
                littleEndian(preparation.prepare(image).pixels()),
                expected,
                "pixel_values_nchw_f32le_sha256"));
    }

    private static CaseResult refusal(Path images, String file) {
        try {
            RgbImage image = ImageDecoder.decode(images.resolve(file));
            return CaseResult.exact(
                    NAME,
                    file + " refused",
                    false,
                    "the reference refuses this image, but it was decoded to %d x %d pixels"
                            .formatted(image.width(), image.height()));
        } catch (DataException e) {
            boolean present = Files.isRegularFile(images.resolve(file));
            return CaseResult.exact(NAME, file + " refused", present, "the file is missing");
        }
    }

    private static CaseResult compare(String name, byte[] actual, JsonNode expected, String key) {
        if (!expected.path(key).isString()) {
            return CaseResult.skipped(NAME, name, "expected.json has no " + key);
        }
        String wanted = expected.path(key).asString();
        String found = sha256(actual);
        return CaseResult.exact(NAME, name, found.equals(wanted), "%s is %s, not %s".formatted(key, found, wanted));
    }

    private static List<Double> constants(JsonNode expected, String key, List<Double> otherwise) {
        JsonNode values = expected.path(key);
        return values.isArray() && values.size() == 3
                ? List.of(
                        values.get(0).asDouble(),
                        values.get(1).asDouble(),
                        values.get(2).asDouble())
                : otherwise;
    }

    private static byte[] littleEndian(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer.array();
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
