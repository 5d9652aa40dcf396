package io.llava4j.nano.benchmark;

/**
 * What the nano benchmarks consist of; everything in them follows from these values and the drawings.
 *
 * @param seed of scenes and questions
 * @param imageSize edge of the images in pixels
 * @param scale factor on the number of images of every benchmark; each keeps at least one of each kind
 */
public record NanoBenchmarkOptions(long seed, int imageSize, double scale) {
    /** Some 850 images with 3,500 questions, of which VQAv2 and POPE have 1,080 each. */
    public static final NanoBenchmarkOptions DEFAULT = new NanoBenchmarkOptions(1, 96, 1);

    /** @throws IllegalArgumentException if a number is out of range */
    public NanoBenchmarkOptions {
        if (imageSize < 32 || imageSize > 1024) {
            throw new IllegalArgumentException("pictures of %d pixels do not lie in [32, 1024]".formatted(imageSize));
        }
        if (!(scale > 0 && scale <= 1000)) {
            throw new IllegalArgumentException("a scale of %s does not lie in (0, 1000]".formatted(scale));
        }
    }

    /** A number of images or questions, scaled; at least 1. */
    int scaled(int count) {
        return Math.max(1, (int) Math.round(scale * count));
    }

    /** The same with another scale. */
    public NanoBenchmarkOptions withScale(double other) {
        return new NanoBenchmarkOptions(seed, imageSize, other);
    }
}
