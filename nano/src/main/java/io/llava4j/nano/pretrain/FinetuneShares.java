package io.llava4j.nano.pretrain;

/**
 * Shares of the kinds of conversation that the nano language model is pre-trained on; they need not sum to 1.
 *
 * @param vqa short-answer question conversations
 * @param choice multiple choice
 * @param caption one-sentence captions
 * @param region region descriptions and region boxes
 * @param conversation free conversations in full sentences
 * @param textOnly conversations without an image
 */
record FinetuneShares(double vqa, double choice, double caption, double region, double conversation, double textOnly) {}
