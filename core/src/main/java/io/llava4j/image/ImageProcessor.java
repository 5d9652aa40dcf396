package io.llava4j.image;

import java.util.List;

/**
 * CLIP's image preprocessing, bit-exact with Pillow and {@code CLIPImageProcessor} (docs/reference/preprocessing.md#order-of-operations):
 * bicubic resize to a square and normalisation. Immutable and thread-safe.
 */
public final class ImageProcessor {
    /** Mean of the training images of OpenAI's CLIP: red, green, blue in 0..1. */
    public static final List<Double> CLIP_MEAN = List.of(0.48145466, 0.4578275, 0.40821073);
    /** Standard deviation of the training images of OpenAI's CLIP: red, green, blue in 0..1. */
    public static final List<Double> CLIP_STD = List.of(0.26862954, 0.26130258, 0.27577711);
    /** Input edge of CLIP ViT-L/14-336, the tower of LLaVA-1.5, in pixels. */
    public static final int CLIP_SIZE = 336;

    private static final int CHANNELS = 3;

    private final int size;
    private final AspectMode mode;
    private final int[] padColour = new int[CHANNELS];
    private final float[][] normalised = new float[CHANNELS][256];

    /** Preprocessing with CLIP's mean and standard deviation. */
    public ImageProcessor(int size, AspectMode mode) {
        this(size, mode, PixelScaling.CLIP);
    }

    /** Preprocessing with another mean and standard deviation. */
    public ImageProcessor(int size, AspectMode mode, List<Double> mean, List<Double> std) {
        this(size, mode, new PixelScaling(1.0 / 255.0, true, mean, std));
    }

    /**
     * Preprocessing with other constants.
     *
     * @param size edge of the result in pixels, at least 1
     * @param mode what happens to an image that is not square
     * @param scaling how bytes become floats; its mean is also the colour of padding, as {@code (int) (255 * mean)}
     * @throws IllegalArgumentException if an argument is out of its range
     */
    public ImageProcessor(int size, AspectMode mode, PixelScaling scaling) {
        if (size < 1) {
            throw new IllegalArgumentException("image size must be at least 1; it is " + size);
        }
        this.size = size;
        this.mode = mode;
        for (int c = 0; c < CHANNELS; c++) {
            padColour[c] = (int) (255 * scaling.mean().get(c));
            for (int value = 0; value < 256; value++) {
                normalised[c][value] = scaling.apply(c, value);
            }
        }
    }

    /** Edge of the result in pixels. */
    public int size() {
        return size;
    }

    /** How an image becomes square. */
    public AspectMode mode() {
        return mode;
    }

    /**
     * Pixel values of an image for the vision tower.
     *
     * @param image any image
     * @return normalised float32 values, channel by channel ({@code [3, size, size]}, row-major)
     */
    public float[] process(RgbImage image) {
        byte[] pixels = resize(image).pixels();
        int plane = size * size;
        float[] values = new float[CHANNELS * plane];
        for (int c = 0; c < CHANNELS; c++) {
            float[] table = normalised[c];
            int at = c * plane;
            for (int i = 0; i < plane; i++) {
                values[at + i] = table[pixels[i * CHANNELS + c] & 0xff];
            }
        }
        return values;
    }

    /**
     * The image that the vision tower sees: resized and cropped, padded or stretched, before normalisation. Tiles are added by
     * {@link ImagePreparation}.
     *
     * @param image any image
     * @return {@code size} x {@code size} pixels
     */
    public RgbImage resize(RgbImage image) {
        int width = image.width();
        int height = image.height();
        if (width == size && height == size) {
            return image;
        }
        return switch (mode) {
            case PAD -> {
                int edge = Math.max(width, height);
                yield resample(image, padded(width, edge), padded(height, edge));
            }
            case CROP -> {
                int shortest = Math.min(width, height);
                yield resample(image, cropped(width, shortest), cropped(height, shortest));
            }
            case ANYRES ->
                resample(
                        image,
                        ResampleAxis.of(width, width, 0, size, 0, size),
                        ResampleAxis.of(height, height, 0, size, 0, size));
        };
    }

    private RgbImage resample(RgbImage image, ResampleAxis x, ResampleAxis y) {
        return new RgbImage(size, size, Resampler.resample(image, x, y, padColour));
    }

    /** Centres the image in a square; an odd remaining row or column is at the bottom or right. */
    private ResampleAxis padded(int length, int edge) {
        return ResampleAxis.of(length, edge, (edge - length) / 2, size, 0, size);
    }

    /** Resizes the shorter edge to {@code size}, the longer one in proportion (truncated), and crops its centre. */
    private ResampleAxis cropped(int length, int shortest) {
        long resized = length == shortest ? size : (long) ((double) ((long) size * length) / shortest);
        return ResampleAxis.of(length, length, 0, resized, (resized - size) / 2, size);
    }
}
