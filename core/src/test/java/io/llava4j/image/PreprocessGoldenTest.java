package io.llava4j.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.llava4j.DataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Bit-exactness with Pillow and CLIPImageProcessor on the reference images. */
class PreprocessGoldenTest {
    private static final Path GOLDENS = Path.of("../../shared/goldens/preprocess");

    @BeforeAll
    static void needsGoldens() {
        assumeTrue(Files.isDirectory(GOLDENS), "reference data are not here: " + GOLDENS);
    }

    @Test
    void everyImageDecodesResizesAndNormalisesExactly() throws NoSuchAlgorithmException {
        JsonNode images = JsonMapper.builder()
                .build()
                .readTree(GOLDENS.resolve("expected.json").toFile())
                .get("images");
        assertThat(images.size()).isGreaterThan(20);
        SoftAssertions softly = new SoftAssertions();
        for (JsonNode expected : images) {
            String file = expected.get("file").asString();
            RgbImage image = ImageDecoder.decode(GOLDENS.resolve("images").resolve(file));
            softly.assertThat(sha256(image.pixels()))
                    .as(file)
                    .isEqualTo(expected.get("rgb_sha256").asString());
            for (AspectMode mode : new AspectMode[] {AspectMode.CROP, AspectMode.PAD}) {
                for (int size : new int[] {56, 336}) {
                    String key = mode.name().toLowerCase(Locale.ROOT) + "_" + size;
                    ImageProcessor processor = new ImageProcessor(size, mode);
                    JsonNode hashes = expected.get(key);
                    softly.assertThat(sha256(processor.resize(image).pixels()))
                            .as("%s %s resized", file, key)
                            .isEqualTo(hashes.get("resized_rgb_hwc_sha256").asString());
                    softly.assertThat(sha256(littleEndian(processor.process(image))))
                            .as("%s %s normalised", file, key)
                            .isEqualTo(
                                    hashes.get("pixel_values_chw_f32le_sha256").asString());
                }
            }
        }
        softly.assertAll();
    }

    @Test
    void theTruncatedImageIsRefused() {
        assertThatThrownBy(() -> ImageDecoder.decode(GOLDENS.resolve("images/truncated.jpg")))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("truncated.jpg is truncated");
    }

    private static byte[] littleEndian(float[] values) {
        ByteBuffer buffer = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.asFloatBuffer().put(values);
        return buffer.array();
    }

    private static String sha256(byte[] bytes) throws NoSuchAlgorithmException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }
}
