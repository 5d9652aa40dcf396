package io.llava4j.train.data;

/**
 * Decides the order of the samples. An order is a function of seed and epoch alone, so a run that resumes needs to
 * know no more than its epoch and its place in it.
 */
public interface EpochSampler {
    /**
     * Order of one epoch.
     *
     * @param seed of the run
     * @param epoch counted from 0
     * @return every index exactly once
     */
    int[] order(long seed, int epoch);
}
