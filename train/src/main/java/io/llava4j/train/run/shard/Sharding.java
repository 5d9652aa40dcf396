package io.llava4j.train.run.shard;

/** What the processes of a run share among them instead of each holding all of it (ZeRO, Rajbhandari et al. 2020). */
public enum Sharding {
    /** Every process holds everything; gradients are averaged. */
    NONE,
    /** Each process holds its part of the moments and of the 32-bit master copy. */
    OPTIMIZER,
    /** As {@link #OPTIMIZER}, and of the gradients. */
    GRADIENTS,
    /** As {@link #GRADIENTS}, and of the weights, frozen ones included, which are gathered a block at a time. */
    FULL
}
