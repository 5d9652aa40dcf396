package io.llava4j.train.data;

import java.util.SplittableRandom;

/** Generates random permutations; tests replay recorded ones. */
@FunctionalInterface
public interface Permutations {
    /** The next permutation of {@code 0 .. size-1}. */
    int[] next(int size);

    /** Random permutations, independent for every pair of seed and epoch. */
    static Permutations seeded(long seed, int epoch) {
        // Not SplittableRandom's own increment: with that, the next epoch would repeat this one's numbers shifted by
        // one.
        SplittableRandom random = new SplittableRandom(seed + epoch * 0xD1342543DE82EF95L);
        return size -> {
            int[] permutation = new int[size];
            for (int i = 0; i < size; i++) {
                int j = random.nextInt(i + 1);
                permutation[i] = permutation[j];
                permutation[j] = i;
            }
            return permutation;
        };
    }
}
