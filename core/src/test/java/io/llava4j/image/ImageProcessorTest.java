package io.llava4j.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.llava4j.image.tile.Tiling;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ImageProcessorTest {
    private static final int[] PAD_COLOUR = {122, 116, 104};

    @ParameterizedTest
    @EnumSource(AspectMode.class)
    void aImageOfTheRightSizeIsUnchanged(AspectMode mode) {
        RgbImage image = noise(48, 48);
        assertThat(new ImageProcessor(48, mode).resize(image).pixels()).isEqualTo(image.pixels());
    }

    @ParameterizedTest
    @CsvSource({"CROP,500,3", "CROP,3,500", "CROP,47,48", "CROP,1,1", "PAD,47,48", "PAD,300,1", "PAD,1,60000"})
    void thePadColourStaysSolid(AspectMode mode, int width, int height) {
        RgbImage resized = new ImageProcessor(32, mode).resize(solid(width, height, PAD_COLOUR));
        assertThat(resized.pixels()).isEqualTo(solid(32, 32, PAD_COLOUR).pixels());
    }

    @ParameterizedTest
    @CsvSource({"5,2,0,1", "2,5,1,0", "4,1,0,1", "1,2,0,0", "2,1,0,0"})
    void paddingIsCentredAndAnOddRestGoesToTheBottomOrRight(int width, int height, int left, int top) {
        int edge = Math.max(width, height);
        RgbImage image = noise(width, height);
        RgbImage expected = solid(edge, edge, PAD_COLOUR);
        for (int y = 0; y < height; y++) {
            System.arraycopy(
                    image.pixels(), y * width * 3, expected.pixels(), ((y + top) * edge + left) * 3, width * 3);
        }
        assertThat(new ImageProcessor(edge, AspectMode.PAD).resize(image).pixels())
                .isEqualTo(expected.pixels());
    }

    @ParameterizedTest
    @CsvSource({"37,21,16", "21,37,16", "9,200,24", "200,9,24", "63,64,100"})
    void paddingWithoutACanvasEqualsPaddingWithOne(int width, int height, int size) {
        int edge = Math.max(width, height);
        RgbImage image = noise(width, height);
        RgbImage canvas = new ImageProcessor(edge, AspectMode.PAD).resize(image);
        ImageProcessor processor = new ImageProcessor(size, AspectMode.PAD);
        assertThat(processor.resize(image).pixels())
                .isEqualTo(processor.resize(canvas).pixels());
    }

    @Test
    void croppingTakesTheCentreOfTheLongerEdge() {
        RgbImage image = noise(21, 8);
        byte[] resized = new ImageProcessor(8, AspectMode.CROP).resize(image).pixels();
        for (int y = 0; y < 8; y++) {
            for (int i = 0; i < 8 * 3; i++) {
                assertThat(resized[y * 8 * 3 + i]).isEqualTo(image.pixels()[(y * 21 + 6) * 3 + i]);
            }
        }
    }

    @Test
    void normalisesIntoPlanesOverTheKnownRange() {
        ImageProcessor processor = new ImageProcessor(2, AspectMode.PAD);
        // docs/reference/preprocessing.md#processor-constants
        assertThat(processor.process(solid(2, 2, new int[] {0, 0, 0})))
                .containsExactly(planes(-1.7922626f, -1.7520971f, -1.4802198f));
        assertThat(processor.process(solid(2, 2, new int[] {255, 255, 255})))
                .containsExactly(planes(1.9303361f, 2.0748837f, 2.1458970f));
    }

    @Test
    void refusesImpossibleConstants() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImagePreparation(new ImageProcessor(56, AspectMode.ANYRES), Tiling.NONE, 4))
                .withMessageContaining("no canvases");
        assertThatIllegalArgumentException().isThrownBy(() -> new ImageProcessor(0, AspectMode.PAD));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ImageProcessor(8, AspectMode.PAD, List.of(0.5, 0.5, 0.5), List.of(0.2, 0.0, 0.2)))
                .withMessageContaining("std positive");
    }

    private static float[] planes(float red, float green, float blue) {
        return new float[] {red, red, red, red, green, green, green, green, blue, blue, blue, blue};
    }

    private static RgbImage noise(int width, int height) {
        byte[] pixels = new byte[width * height * 3];
        new Random(width * 1000L + height).nextBytes(pixels);
        return new RgbImage(width, height, pixels);
    }

    private static RgbImage solid(int width, int height, int[] colour) {
        byte[] pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (byte) colour[i % 3];
        }
        return new RgbImage(width, height, pixels);
    }
}
