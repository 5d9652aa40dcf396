package io.llava4j.train.data.mixture;

import java.util.SplittableRandom;

/**
 * Randomness keyed by seed, source and image: a decision depends on its key alone, neither on threads nor on the order
 * of the records.
 */
final class KeyedRandom {
    private KeyedRandom() {}

    /** A hash of seed and key with well-mixed bits. */
    static long of(long seed, String... key) {
        long hash = mix(seed);
        for (String part : key) {
            for (int i = 0; i < part.length(); i++) {
                hash = (hash ^ part.charAt(i)) * 0x100000001B3L;
            }
            hash = mix(hash);
        }
        return hash;
    }

    /** Random numbers for the decisions with this key. */
    static SplittableRandom random(long seed, String... key) {
        return new SplittableRandom(of(seed, key));
    }

    /** A bijection whose output bits all depend on all input bits; the finaliser of SplitMix64. */
    static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
