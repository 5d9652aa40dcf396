package io.llava4j.nano.raw;

import io.llava4j.nano.text.QuestionShares;

/**
 * Options of a nano world; they and the drawings determine all of its bytes.
 *
 * @param seed of scenes and texts
 * @param imageSize edge of the images in pixels
 * @param stage1 number of caption pairs of stage 1
 * @param stage2 approximate number of conversations of stage 2, with and without an image; an image of RefCOCO sometimes
 *     gives two or none
 * @param validationImages number of images with drawings of the training sets, with questions
 * @param evaluationImages number of images with drawings of the held-out sets, with questions
 * @param questionsPerImage questions about each image of validation and evaluation
 * @param questions shares of the kinds of questions, in the mixture and in evaluation
 * @param allForms whether the mixture's questions come in all forms of the benchmarks: all kinds of options, yes or no about
 *     everything, misread words, free questions, and chats about scenes in words
 */
public record NanoWorldOptions(
        long seed,
        int imageSize,
        int stage1,
        int stage2,
        int validationImages,
        int evaluationImages,
        int questionsPerImage,
        QuestionShares questions,
        boolean allForms) {
    /** A world for a training run of a few minutes. */
    public static final NanoWorldOptions DEFAULT =
            new NanoWorldOptions(1, 96, 16000, 24000, 200, 400, 4, QuestionShares.DEFAULT, false);

    /** @throws IllegalArgumentException if a number is out of range */
    public NanoWorldOptions {
        if (imageSize < 32 || imageSize > 1024) {
            throw new IllegalArgumentException("the image size must be 32 to 1024 pixels, not %d".formatted(imageSize));
        }
        if (stage1 < 0 || stage2 < 0 || validationImages < 0 || evaluationImages < 0) {
            throw new IllegalArgumentException("a nano world cannot have a negative number of samples");
        }
        if (questionsPerImage < 1 || questionsPerImage > 20) {
            throw new IllegalArgumentException("there must be 1 to 20 questions per image, not " + questionsPerImage);
        }
    }

    /** A copy with other numbers of samples. */
    public NanoWorldOptions withCounts(int stage1Pairs, int stage2Records, int validation, int evaluation) {
        return new NanoWorldOptions(
                seed,
                imageSize,
                stage1Pairs,
                stage2Records,
                validation,
                evaluation,
                questionsPerImage,
                questions,
                allForms);
    }

    /** A copy with another seed. */
    public NanoWorldOptions withSeed(long other) {
        return new NanoWorldOptions(
                other,
                imageSize,
                stage1,
                stage2,
                validationImages,
                evaluationImages,
                questionsPerImage,
                questions,
                allForms);
    }
}
