package io.llava4j.spark;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.Partitioner;

/**
 * Which shard a record belongs to and where in it. A shuffled mixture is ordered by each record's own number, and every
 * shard is an equal share of all numbers; otherwise sources follow each other, and every shard is an equal share of what
 * reading them gave.
 */
final class Ordering implements Serializable {
    private final boolean shuffle;
    private final int shards;
    private final long[] offsets;

    /**
     * Where a record goes.
     *
     * @param shard number of the file
     * @param order in the file; of equal ones, places decide
     * @param place in its source
     */
    record Position(int shard, long order, Place place) implements Comparable<Position>, Serializable {
        @Override
        public int compareTo(Position other) {
            int byShard = Integer.compare(shard, other.shard);
            int byOrder = byShard == 0 ? Long.compare(order, other.order) : byShard;
            return byOrder == 0 ? place.compareTo(other.place) : byOrder;
        }
    }

    /**
     * @param shuffle whether sources are mixed
     * @param shards number of files
     * @param events that reading gave, of each source
     */
    Ordering(boolean shuffle, int shards, List<Long> events) {
        this.shuffle = shuffle;
        this.shards = shards;
        this.offsets = new long[events.size() + 1];
        for (int i = 0; i < events.size(); i++) {
            offsets[i + 1] = offsets[i] + events.get(i);
        }
    }

    Position of(Event.Built built) {
        long order = shuffle ? built.record().order() : 0;
        return new Position(shuffle ? share(order) : share(built.place()), order, built.place());
    }

    private int share(long order) {
        return (int) Math.unsignedMultiplyHigh(order ^ Long.MIN_VALUE, shards);
    }

    private int share(Place place) {
        return (int) ((offsets[place.source()] + place.event()) * shards / Math.max(1, offsets[offsets.length - 1]));
    }

    /** A partition for each shard. */
    static final class ByShard extends Partitioner {
        private final int shards;

        ByShard(int shards) {
            this.shards = shards;
        }

        @Override
        public int numPartitions() {
            return shards;
        }

        @Override
        public int getPartition(Object key) {
            return ((Position) key).shard();
        }
    }

    /** A partition for each source. */
    static final class BySource extends Partitioner {
        private final int sources;

        BySource(int sources) {
            this.sources = sources;
        }

        @Override
        public int numPartitions() {
            return sources;
        }

        @Override
        public int getPartition(Object key) {
            return ((Place) key).source();
        }
    }

    /** Groups spread over any number of partitions. */
    static final class ByGroup extends Partitioner {
        private final int partitions;

        ByGroup(int partitions) {
            this.partitions = partitions;
        }

        @Override
        public int numPartitions() {
            return partitions;
        }

        @Override
        public int getPartition(Object key) {
            Stages.GroupKey group = (Stages.GroupKey) key;
            return Math.floorMod(31 * group.key().hashCode() + group.source(), partitions);
        }
    }
}
