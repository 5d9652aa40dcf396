package io.llava4j.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.generate.ModelLoader;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.model.cpu.CpuImageEncoder;
import io.llava4j.model.cpu.ImageEncoding;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Vision tower and projector in other types than their file's: every tensor is read in its own type, convolutions too. */
class ImageEncoderTypesTest {
    @TempDir
    private Path folder;

    @Test
    void imageTokensOfAllTypesAreNearThoseOfTheFile() {
        Path model = SmallModel.write(folder.resolve("model"), SmallModel.config(48, -1), null);
        float[] exact = imageTokens(model, null);
        assertThat(imageTokens(model, Precision.F32)).containsExactly(exact);
        assertThat(relativeError(imageTokens(model, Precision.F16), exact)).isBetween(1e-6, 2e-3);
        assertThat(relativeError(imageTokens(model, Precision.BF16), exact)).isBetween(1e-5, 2e-2);
        assertThat(relativeError(imageTokens(model, Precision.Q8_0), exact)).isBetween(1e-6, 5e-2);
    }

    private static double relativeError(float[] actual, float[] expected) {
        double errors = 0;
        double lengths = 0;
        for (int i = 0; i < expected.length; i++) {
            errors += Math.pow((double) actual[i] - expected[i], 2);
            lengths += Math.pow(expected[i], 2);
        }
        assertThat(lengths).isGreaterThan(0);
        return Math.sqrt(errors / lengths);
    }

    private static float[] imageTokens(Path model, @Nullable Precision precision) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            try (CpuImageEncoder encoder = ModelLoader.imageEncoder(checkpoint, precision)) {
                int edge = encoder.tower().imageSize();
                float[] pixels = new float[3 * edge * edge];
                for (int i = 0; i < pixels.length; i++) {
                    pixels[i] = (float) Math.sin(i);
                }
                return Objects.requireNonNull(
                        new ImageEncoding(encoder, PreparedImage.of(pixels)).advance(Long.MAX_VALUE));
            }
        }
    }
}
