package io.llava4j.spark;

import java.io.Serializable;
import java.util.Comparator;

/**
 * Where something stands in the order of a run on one machine, whatever the partitions.
 *
 * @param source place of the source in the recipe
 * @param late whether it is there only once the whole source was read, as what was gathered from all of it
 * @param event place among all that reading the source gave: items and what was left out
 * @param part place among all that was built of one item
 */
record Place(int source, boolean late, long event, int part) implements Comparable<Place>, Serializable {
    private static final Comparator<Place> ORDER = Comparator.comparingInt(Place::source)
            .thenComparing(Place::late)
            .thenComparingLong(Place::event)
            .thenComparingInt(Place::part);

    @Override
    public int compareTo(Place other) {
        return ORDER.compare(this, other);
    }
}
