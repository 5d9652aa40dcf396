package io.llava4j.image;

import java.util.List;

/**
 * How bytes become a vision tower's input: {@code (byte * rescaleFactor - mean) / std}
 * (docs/reference/preprocessing.md#processor-constants).
 *
 * @param rescaleFactor factor of a byte; 1/255 for CLIP
 * @param normalises whether mean and standard deviation are applied
 * @param mean red, green, blue in 0..1; also the colour of padding
 * @param std red, green, blue, above 0
 */
public record PixelScaling(double rescaleFactor, boolean normalises, List<Double> mean, List<Double> std) {
    /** That of OpenAI's CLIP. */
    public static final PixelScaling CLIP =
            new PixelScaling(1.0 / 255.0, true, ImageProcessor.CLIP_MEAN, ImageProcessor.CLIP_STD);

    /** @throws IllegalArgumentException if a number is out of its range */
    public PixelScaling {
        if (!isMean(mean) || !isStd(std) || !(rescaleFactor > 0)) {
            throw new IllegalArgumentException(
                    "image mean must be three values within 0..1, std positive; they are %s and %s, with the rescale factor %s"
                            .formatted(mean, std, rescaleFactor));
        }
    }

    /** Whether these can be a mean: three numbers from 0 to 1. */
    public static boolean isMean(List<Double> values) {
        return values.size() == 3 && values.stream().allMatch(value -> value >= 0 && value <= 1);
    }

    /** Whether these can be standard deviations: three finite numbers above 0. */
    public static boolean isStd(List<Double> values) {
        return values.size() == 3 && values.stream().allMatch(value -> value > 0 && !value.isInfinite());
    }

    /** A byte of a channel as the tower reads it: rescaled in double, rounded to float, then normalised in float. */
    float apply(int channel, int value) {
        float rescaled = (float) (value * rescaleFactor);
        return normalises
                ? (rescaled - mean.get(channel).floatValue()) / std.get(channel).floatValue()
                : rescaled;
    }
}
