package io.llava4j.train.data;

/**
 * Every order equally likely, as stage 1 wants it.
 *
 * @param size number of samples
 */
public record RandomSampler(int size) implements EpochSampler {
    @Override
    public int[] order(long seed, int epoch) {
        return Permutations.seeded(seed, epoch).next(size);
    }
}
