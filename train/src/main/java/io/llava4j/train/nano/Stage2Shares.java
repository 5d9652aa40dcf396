package io.llava4j.train.nano;

/**
 * Weights of the sources a stage-2 mixture is made of; they need not sum to 1.
 *
 * @param vqa short-answer question conversations
 * @param choice multiple choice
 * @param caption one-sentence captions
 * @param region region descriptions and region boxes
 * @param conversation free conversations in full sentences
 * @param textOnly conversations without a picture
 */
public record Stage2Shares(
        double vqa, double choice, double caption, double region, double conversation, double textOnly) {
    /** Weighted to short answers. */
    public static final Stage2Shares DEFAULT = new Stage2Shares(0.64, 0.06, 0.06, 0.08, 0.1, 0.06);
}
