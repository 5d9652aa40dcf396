package io.llava4j.spark;

import java.io.Serializable;
import java.util.Comparator;

/**
 * Position of a result in the order of a run on one machine; independent of the partitions.
 *
 * @param source index of the source in the recipe
 * @param afterReading whether it is built only after the whole source was read, from gathered items
 * @param result index among the results of reading the source: items and rejections
 * @param part index among the results of building one item
 */
record SourcePosition(int source, boolean afterReading, long result, int part)
        implements Comparable<SourcePosition>, Serializable {
    private static final Comparator<SourcePosition> ORDER = Comparator.comparingInt(SourcePosition::source)
            .thenComparing(SourcePosition::afterReading)
            .thenComparingLong(SourcePosition::result)
            .thenComparingInt(SourcePosition::part);

    @Override
    public int compareTo(SourcePosition other) {
        return ORDER.compare(this, other);
    }
}
