package io.llava4j.nano.world;

import java.util.Collections;
import java.util.List;

/**
 * The SplitMix64 random generator. Every item of the nano world has its own, seeded from (seed, stream, index), so that the
 * result depends neither on threads nor on the order of the items.
 */
public final class SplitMix64 {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    private SplitMix64(long state) {
        this.state = state;
    }

    /** The generator of one item; {@code stream} separates uses with the same seed and index. */
    public static SplitMix64 of(long seed, String stream, long index) {
        long mixed = mix(seed + GOLDEN_GAMMA);
        for (int i = 0; i < stream.length(); i++) {
            mixed = mix(mixed * 31 + stream.charAt(i));
        }
        return new SplitMix64(mix(mixed ^ mix(index + GOLDEN_GAMMA)));
    }

    /** The next 64 random bits. */
    public long nextLong() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /** Uniform in [0, bound); the bias of at most bound / 2^32 does not matter here. */
    public int nextInt(int bound) {
        if (bound < 1) {
            throw new IllegalArgumentException("bound " + bound + " is not positive");
        }
        return (int) (((nextLong() >>> 32) * bound) >>> 32);
    }

    /** Uniform in [low, high], both ends included. */
    public int between(int low, int high) {
        return low + nextInt(high - low + 1);
    }

    /** Uniform in [0, 1). */
    double nextDouble() {
        return (nextLong() >>> 11) * 0x1.0p-53;
    }

    /** Uniform in [low, high). */
    public double between(double low, double high) {
        return low + (high - low) * nextDouble();
    }

    /** True with this probability. */
    public boolean chance(double probability) {
        return nextDouble() < probability;
    }

    /** A random element of a list. */
    public <T> T pick(List<T> items) {
        return items.get(nextInt(items.size()));
    }

    /** Index drawn in proportion to the weights. */
    public int weighted(double... weights) {
        double total = 0;
        for (double weight : weights) {
            total += weight;
        }
        double at = nextDouble() * total;
        for (int i = 0; i < weights.length; i++) {
            at -= weights[i];
            if (at < 0) {
                return i;
            }
        }
        return weights.length - 1;
    }

    /** Shuffles a list in place. */
    public void shuffle(List<?> items) {
        for (int i = items.size() - 1; i > 0; i--) {
            Collections.swap(items, i, nextInt(i + 1));
        }
    }

    /** The finaliser of SplitMix64: a bijection whose output bits all depend on all input bits. */
    static long mix(long value) {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
