package io.llava4j.train.data.mixture;

import java.util.SplittableRandom;

/**
 * Random decisions that depend on what they are about and on nothing else: neither on threads nor on the order in which
 * records come.
 */
final class KeyedRandom {
    private KeyedRandom() {}

    /** A well-mixed number for a seed and what a decision is about. */
    static long of(long seed, String... about) {
        long hash = mix(seed);
        for (String part : about) {
            for (int i = 0; i < part.length(); i++) {
                hash = (hash ^ part.charAt(i)) * 0x100000001B3L;
            }
            hash = mix(hash);
        }
        return hash;
    }

    /** A source of random numbers for one decision or a few. */
    static SplittableRandom random(long seed, String... about) {
        return new SplittableRandom(of(seed, about));
    }

    /** A bijection whose output bits all depend on all input bits; the finaliser of SplitMix64. */
    static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
