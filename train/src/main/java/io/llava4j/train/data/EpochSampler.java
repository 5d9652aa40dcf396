package io.llava4j.train.data;

/**
 * Decides the order of the samples. An order depends on seed and epoch alone, so a resumed run needs only its epoch and its
 * position in it.
 */
public interface EpochSampler {
    /**
     * The order of one epoch.
     *
     * @param seed of the run
     * @param epoch counted from 0
     * @return every index of a sample exactly once
     */
    int[] order(long seed, int epoch);
}
