package io.llava4j.app.verify;

import io.llava4j.DataException;
import io.llava4j.checkpoint.layout.TensorEntry;
import io.llava4j.checkpoint.safetensors.SafeTensors;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.tile.FeatureOrder;
import io.llava4j.image.tile.ImageSize;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.config.LlavaConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Images of a case that names them instead of holding them: views of tiled images as bytes in a file that all cases share, with a
 * table that says what each byte is after normalisation.
 */
final class RecordedTiles {
    private static final String TABLE = "normalise_lut.safetensors";

    private RecordedTiles() {}

    /** Whether a case names its images. */
    static boolean areNamed(SafeTensors file) {
        return file.metadata().containsKey("tiles");
    }

    /**
     * The images of a case.
     *
     * @param config of the model that reads them
     * @throws DataException if the shared file is not in a folder above the case
     */
    static List<PreparedImage> read(SafeTensors file, LlavaConfig config) {
        Path shared = shared(file.file(), String.valueOf(file.metadata().get("tiles")));
        long[] sizes = file.tensor("image_sizes").toLongs();
        ImagePreparation preparation = config.imagePreparation();
        FeatureOrder undivided = config.tiling().undivided(config.tokensPerView());
        int each = 3 * config.vision().imageSize() * config.vision().imageSize();
        List<PreparedImage> images = new ArrayList<>();
        try (SafeTensors tiles = SafeTensors.open(shared);
                SafeTensors table = SafeTensors.open(shared.resolveSibling(TABLE))) {
            float[] normalised = table.tensors().firstEntry().getValue().toFloats();
            for (JsonNode named : JsonMapper.builder()
                    .build()
                    .readTree(String.valueOf(file.metadata().get("images")))) {
                if (named.path("zero").asBoolean(false)) {
                    images.add(new PreparedImage(new float[each], undivided));
                    continue;
                }
                TensorEntry views = tiles.tensor(named.path("file").asString());
                int at = 2 * images.size();
                FeatureOrder order = named.path("views").asString().equals("base")
                        ? undivided
                        : preparation.order(new ImageSize((int) sizes[at], (int) sizes[at + 1]));
                images.add(new PreparedImage(pixels(views.toBytes(), order.views(), each, normalised), order));
            }
        }
        return images;
    }

    private static Path shared(Path file, String name) {
        for (Path folder = file.toAbsolutePath().normalize().getParent(); folder != null; folder = folder.getParent()) {
            if (Files.isRegularFile(folder.resolve(name))) {
                return folder.resolve(name);
            }
        }
        throw new DataException("%s names %s, which is in no folder above it".formatted(file, name));
    }

    /** {@code [views, size, size, 3]} bytes to {@code [views, 3, size, size]} floats. */
    private static float[] pixels(byte[] bytes, int views, int each, float[] normalised) {
        if (bytes.length < views * each) {
            throw new DataException("%d bytes are recorded for %d views".formatted(bytes.length, views));
        }
        int plane = each / 3;
        float[] pixels = new float[views * each];
        for (int view = 0; view < views; view++) {
            for (int i = 0; i < plane; i++) {
                for (int channel = 0; channel < 3; channel++) {
                    int value = bytes[view * each + 3 * i + channel] & 0xff;
                    pixels[view * each + channel * plane + i] = normalised[channel * 256 + value];
                }
            }
        }
        return pixels;
    }
}
