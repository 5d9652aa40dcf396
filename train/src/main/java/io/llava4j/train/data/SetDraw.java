package io.llava4j.train.data;

import io.llava4j.ConfigException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Decides which records of several data sets make an epoch; a function of the recipe, the seed and the sets' sizes. */
final class SetDraw {
    private SetDraw() {}

    /**
     * The samples of an epoch.
     *
     * @param sets as the recipe has them
     * @param sizes usable records of each
     * @param seed of the run
     * @return positions in each set, in the set's order: all of them as often as they are repeated, then those that were drawn
     * @throws ConfigException if a set has fewer records than its limit, or would have no sample at all
     */
    static List<int[]> of(List<DataSet> sets, int[] sizes, long seed) {
        int[] samples = samples(sets, sizes);
        List<int[]> drawn = new ArrayList<>();
        for (int i = 0; i < sizes.length; i++) {
            drawn.add(draw(sizes[i], samples[i], seed, sets.get(i).label()));
        }
        return drawn;
    }

    /** Number of samples of each set. */
    private static int[] samples(List<DataSet> sets, int[] sizes) {
        double weights = 0;
        long weighted = 0;
        for (int i = 0; i < sizes.length; i++) {
            Double weight = sets.get(i).weight();
            weights += weight == null ? 0 : weight;
            weighted += weight == null ? 0 : sizes[i];
        }
        int[] samples = new int[sizes.length];
        double before = 0;
        for (int i = 0; i < sizes.length; i++) {
            DataSet set = sets.get(i);
            double count = sizes[i];
            if (set.weight() != null) {
                // Ends are rounded, not shares, so that the shares add up.
                double after = before + set.weight();
                count = Math.rint(weighted * after / weights) - Math.rint(weighted * before / weights);
                before = after;
            } else if (set.limit() != null) {
                count = set.limit();
            } else if (set.repeat() != null) {
                count = Math.rint(sizes[i] * set.repeat());
            }
            samples[i] = checked(set, sizes[i], count);
        }
        if (Arrays.stream(samples).asLongStream().sum() > Integer.MAX_VALUE - 8) {
            throw new ConfigException("data.sets make an epoch of more than 2^31 samples; lower repeat");
        }
        return samples;
    }

    private static int checked(DataSet set, int size, double count) {
        if (set.limit() != null && set.limit() > size) {
            throw new ConfigException(
                    "data.sets: limit of %s is %d, but %s has only %d usable records; lower it, or use repeat"
                            .formatted(set.label(), set.limit(), set.json(), size));
        }
        if (count < 1) {
            throw new ConfigException(
                    "data.sets: %s would have no sample, because its share of %d records is less than half of one; raise its %s or remove it"
                            .formatted(set.label(), size, set.weight() != null ? "weight" : "repeat"));
        }
        if (count > Integer.MAX_VALUE - 8) {
            throw new ConfigException("data.sets: %s would have more than 2^31 samples; lower its %s"
                    .formatted(set.label(), set.weight() != null ? "weight" : "repeat"));
        }
        return (int) count;
    }

    private static int[] draw(int size, int samples, long seed, String name) {
        int whole = samples / size * size;
        int[] drawn = Arrays.copyOf(IntStream.range(0, whole).map(i -> i % size).toArray(), samples);
        int[] order = Permutations.seeded(keyed(seed, name), 0).next(size);
        System.arraycopy(order, 0, drawn, whole, samples - whole);
        Arrays.sort(drawn, whole, samples);
        return drawn;
    }

    /** A seed of its own for each set. */
    private static long keyed(long seed, String name) {
        long key = seed;
        for (int i = 0; i < name.length(); i++) {
            key = (key ^ name.charAt(i)) * 0x100000001B3L;
        }
        return key;
    }
}
