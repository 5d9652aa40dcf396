package io.llava4j.model;

/**
 * Follows a pass part by part, for weights that several processes share: they come before a part is computed and
 * may go after it, and its gradients are complete after its backward pass. The parts are, in the order of the forward pass:
 * {@link #INPUTS}, the blocks of the language model from 0, and its head, whose number is that of the blocks.
 */
public interface PassListener {
    /** Follows nothing; the pass has one graph. */
    PassListener NONE = new PassListener() {};

    /** The vision tower, the projector and the token embeddings. */
    int INPUTS = -1;

    /** A part is about to be computed, in the forward pass or again for its gradients. */
    default void before(int part) {}

    /** A part has been computed in the forward pass; in training not called for the head, whose backward pass follows at once. */
    default void afterForward(int part) {}

    /** The backward pass of a part is about to begin. */
    default void beforeBackward(int part) {}

    /** The gradients of a part are complete. */
    default void afterBackward(int part) {}
}
