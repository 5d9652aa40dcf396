package io.llava4j.nano.raw;

import io.llava4j.nano.text.QuestionShares;

/**
 * What a nano world on disk consists of; everything in it follows from these values and the drawings.
 *
 * @param seed of scenes and texts
 * @param imageSize edge of the images in pixels
 * @param stage1 caption pairs of stage 1
 * @param stage2 conversations of stage 2, those without an image included; about so many, since an image of RefCOCO now
 *     and then gives two or none
 * @param validationImages images of the training sets for diagnosis, with questions
 * @param evaluationImages images of the held-out sets, with questions
 * @param questionsPerImage questions about each image of validation and evaluation
 * @param questions shares of the kinds of question, in the mixture as in evaluation
 */
public record NanoWorldOptions(
        long seed,
        int imageSize,
        int stage1,
        int stage2,
        int validationImages,
        int evaluationImages,
        int questionsPerImage,
        QuestionShares questions) {
    /** A world for a training run of some minutes. */
    public static final NanoWorldOptions DEFAULT =
            new NanoWorldOptions(1, 96, 32000, 27000, 200, 400, 4, QuestionShares.DEFAULT);

    /** @throws IllegalArgumentException if a number is out of range */
    public NanoWorldOptions {
        if (imageSize < 32 || imageSize > 1024) {
            throw new IllegalArgumentException("pictures of %d pixels do not lie in [32, 1024]".formatted(imageSize));
        }
        if (stage1 < 0 || stage2 < 0 || validationImages < 0 || evaluationImages < 0) {
            throw new IllegalArgumentException("a nano world cannot have a negative number of samples");
        }
        if (questionsPerImage < 1 || questionsPerImage > 20) {
            throw new IllegalArgumentException(questionsPerImage + " questions per image do not lie in [1, 20]");
        }
    }

    /** The same with other sizes. */
    public NanoWorldOptions withCounts(int stage1Pairs, int stage2Records, int validation, int evaluation) {
        return new NanoWorldOptions(
                seed, imageSize, stage1Pairs, stage2Records, validation, evaluation, questionsPerImage, questions);
    }

    /** The same with another seed. */
    public NanoWorldOptions withSeed(long other) {
        return new NanoWorldOptions(
                other, imageSize, stage1, stage2, validationImages, evaluationImages, questionsPerImage, questions);
    }
}
