package io.llava4j.model;

/**
 * Follows a pass through the language model's blocks, for weights that several processes share: they come before a block
 * is computed and may go after it, and its gradients are complete after its backward pass.
 */
public interface BlockListener {
    /** Follows nothing; the pass has one graph. */
    BlockListener NONE = new BlockListener() {};

    /** A block is about to be computed, in the forward pass or again for its gradients. */
    default void before(int block) {}

    /** A block has been computed in the forward pass. */
    default void afterForward(int block) {}

    /** The backward pass of a block is about to begin. */
    default void beforeBackward(int block) {}

    /** The gradients of a block are complete. */
    default void afterBackward(int block) {}
}
