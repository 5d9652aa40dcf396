package io.llava4j.nano.several;

/**
 * What the questions about several images consist of; everything follows from these values and the drawings.
 *
 * @param seed of scenes and questions
 * @param imageSize edge of the images in pixels
 * @param training number of training questions, whose drawings are by the artists of the training data
 * @param evaluation number of questions of the benchmark, whose drawings are by artists held out
 */
public record SeveralImagesOptions(long seed, int imageSize, int training, int evaluation) {
    /** About as many training questions as one source of the nano mixture has. */
    public static final SeveralImagesOptions DEFAULT = new SeveralImagesOptions(1, 96, 4000, 480);

    /** @throws IllegalArgumentException if a number is out of range */
    public SeveralImagesOptions {
        if (imageSize < 32 || imageSize > 1024) {
            throw new IllegalArgumentException("images of %d pixels do not lie in [32, 1024]".formatted(imageSize));
        }
        if (training < 0 || evaluation < 0 || training + evaluation == 0) {
            throw new IllegalArgumentException(
                    "%d training and %d evaluation questions are none, or too few".formatted(training, evaluation));
        }
    }
}
