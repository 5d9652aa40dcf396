package io.llava4j.train.data;

/**
 * A random order, every one equally likely; used in stage 1.
 *
 * @param size number of samples
 */
public record RandomSampler(int size) implements EpochSampler {
    @Override
    public int[] order(long seed, int epoch) {
        return Permutations.seeded(seed, epoch).next(size);
    }
}
