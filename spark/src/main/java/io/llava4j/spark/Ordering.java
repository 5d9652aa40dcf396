package io.llava4j.spark;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.Partitioner;

/**
 * Decides the shard of a record and its position in the shard. A shuffled mixture is sorted by each record's own random
 * number, and every shard takes an equal range of these numbers. Otherwise sources follow one another, and every shard
 * takes an equal share of the results of reading them.
 */
final class Ordering implements Serializable {
    private final boolean shuffle;
    private final int shards;
    private final long[] offsets;

    /**
     * Position of a record in the shards.
     *
     * @param shard number of the file
     * @param order sort key in the file; among equal ones, the position in the source decides
     * @param position in its source
     */
    record ShardPosition(int shard, long order, SourcePosition position)
            implements Comparable<ShardPosition>, Serializable {
        @Override
        public int compareTo(ShardPosition other) {
            int byShard = Integer.compare(shard, other.shard);
            int byOrder = byShard == 0 ? Long.compare(order, other.order) : byShard;
            return byOrder == 0 ? position.compareTo(other.position) : byOrder;
        }
    }

    /**
     * @param shuffle whether the sources are shuffled
     * @param shards number of files
     * @param results of reading, number for each source
     */
    Ordering(boolean shuffle, int shards, List<Long> results) {
        this.shuffle = shuffle;
        this.shards = shards;
        this.offsets = new long[results.size() + 1];
        for (int i = 0; i < results.size(); i++) {
            offsets[i + 1] = offsets[i] + results.get(i);
        }
    }

    ShardPosition of(StepResult.Built built) {
        long order = shuffle ? built.record().order() : 0;
        return new ShardPosition(shuffle ? share(order) : share(built.position()), order, built.position());
    }

    private int share(long order) {
        return (int) Math.unsignedMultiplyHigh(order ^ Long.MIN_VALUE, shards);
    }

    private int share(SourcePosition position) {
        return (int)
                ((offsets[position.source()] + position.result()) * shards / Math.max(1, offsets[offsets.length - 1]));
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
            return ((ShardPosition) key).shard();
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
            return ((SourcePosition) key).source();
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
