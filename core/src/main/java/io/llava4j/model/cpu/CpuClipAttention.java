package io.llava4j.model.cpu;

import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.kernel.ColumnSoftmax;
import io.llava4j.tensor.kernel.FloatTiles;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Attention in which all positions of an image see each other. Queries are the rows of the tiles that the kernels multiply,
 * keys and values the columns: scores come out as {@code [key, query]}, so that softmax runs down the lanes of the
 * registers and its result is again a tile.
 */
final class CpuClipAttention {
    private static final int ROWS = FloatTiles.ROWS;

    /** Tiles of queries that attend together; their scores to all keys stay in a core's cache. */
    private static final int TILES = 8;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;

    private final int heads;
    private final int hidden;
    private final int d;
    private final FloatTiles tiles;
    private final ColumnSoftmax softmax;
    private final Workers workers;
    private final WorkMemory memory;
    private final Scratch[] scratch;
    private MemorySegment packedQueries = MemorySegment.NULL;
    private MemorySegment packedKeys = MemorySegment.NULL;
    private MemorySegment packedValues = MemorySegment.NULL;

    CpuClipAttention(int heads, int hidden, Kernels kernels, Workers workers, WorkMemory memory) {
        this.heads = heads;
        this.hidden = hidden;
        this.d = hidden / heads;
        this.tiles = new FloatTiles(kernels, BlockFormat.F32);
        this.softmax = new ColumnSoftmax(kernels);
        this.workers = workers;
        this.memory = memory;
        this.scratch = new Scratch[workers.count()];
        Arrays.setAll(scratch, worker -> new Scratch());
    }

    /**
     * Attention of images, which takes the place of their queries.
     *
     * @param block whose biases are added to queries, keys and values
     * @param queries {@code [images, positions, heads, d]}, as keys and values
     */
    void attend(
            CpuClipBlock block,
            int images,
            int positions,
            MemorySegment queries,
            MemorySegment keys,
            MemorySegment values) {
        int queryTiles = Math.ceilDiv(positions, ROWS);
        long queryFloats = (long) queryTiles * ROWS * d;
        long floats = (long) positions * d;
        int all = images * heads;
        packedQueries = memory.atLeast(packedQueries, all * queryFloats);
        packedKeys = memory.atLeast(packedKeys, all * floats);
        packedValues = memory.atLeast(packedValues, all * floats);
        for (Scratch each : scratch) {
            each.reserve(positions, d);
        }
        workers.run(all, (i, worker) -> {
            Scratch own = scratch[worker];
            own.read(queries, i, positions, block.query().bias());
            own.store(own.packQueries(positions), slice(packedQueries, i * queryFloats, queryFloats));
            own.read(keys, i, positions, block.key().bias());
            own.store(own.packKeys(positions), slice(packedKeys, i * floats, floats));
            own.read(values, i, positions, block.value().bias());
            own.store(own.packValues(positions), slice(packedValues, i * floats, floats));
        });
        int parts = Math.ceilDiv(queryTiles, TILES);
        workers.run(all * parts, (chunk, worker) -> {
            int i = chunk / parts;
            int first = chunk % parts * TILES;
            int count = Math.min(TILES, queryTiles - first);
            MemorySegment part =
                    slice(packedQueries, i * queryFloats + (long) first * ROWS * d, (long) count * ROWS * d);
            scratch[worker].attend(
                    part,
                    slice(packedKeys, i * floats, floats),
                    slice(packedValues, i * floats, floats),
                    positions,
                    first,
                    queries,
                    i);
        });
    }

    private static MemorySegment slice(MemorySegment memory, long from, long floats) {
        return memory.asSlice(from * Float.BYTES, floats * Float.BYTES);
    }

    /** Memory of one worker. */
    private final class Scratch {
        /** A head's {@code [positions, d]}. */
        private float[] head = {};

        private float[] packed = {};
        private final float[] row = new float[d];
        private final float[] factors = new float[ROWS];
        private final float[] tile = new float[d * ROWS];
        private MemorySegment scores = MemorySegment.NULL;
        private MemorySegment probabilities = MemorySegment.NULL;
        private MemorySegment outputs = MemorySegment.NULL;
        private MemorySegment sums = MemorySegment.NULL;

        void reserve(int positions, int d) {
            int padded = Math.ceilDiv(positions, ROWS) * ROWS;
            if (packed.length < padded * d) {
                head = new float[positions * d];
                packed = new float[padded * d];
            }
            scores = memory.atLeast(scores, (long) positions * TILES * ROWS);
            probabilities = memory.atLeast(probabilities, (long) positions * ROWS);
            outputs = memory.atLeast(outputs, (long) d * ROWS);
            sums = memory.atLeast(sums, ROWS);
        }

        /** Offset of a position of a head. */
        private long at(int imageHead, int positions, int position) {
            long imageRow = (long) (imageHead / heads) * positions + position;
            return (imageRow * hidden + (long) (imageHead % heads) * d) * Float.BYTES;
        }

        void read(MemorySegment from, int imageHead, int positions, float[] bias) {
            int first = imageHead % heads * d;
            for (int position = 0; position < positions; position++) {
                int to = position * d;
                MemorySegment.copy(from, FLOAT, at(imageHead, positions, position), head, to, d);
                for (int i = 0; i < d; i++) {
                    head[to + i] += bias[first + i];
                }
            }
        }

        void store(int floats, MemorySegment to) {
            MemorySegment.copy(packed, 0, to, FLOAT, 0, floats);
        }

        /** {@code [tile, d, ROWS]}, scaled; queries after the last one are zero. */
        int packQueries(int positions) {
            int padded = Math.ceilDiv(positions, ROWS) * ROWS;
            float scale = (float) (1 / Math.sqrt(d));
            Arrays.fill(packed, 0, padded * d, 0);
            for (int position = 0; position < positions; position++) {
                int to = position / ROWS * ROWS * d + position % ROWS;
                for (int i = 0; i < d; i++) {
                    packed[to + i * ROWS] = head[position * d + i] * scale;
                }
            }
            return padded * d;
        }

        /** Groups of columns {@code [d, keys]}. */
        int packKeys(int positions) {
            int columns = tiles.columns();
            for (int first = 0; first < positions; first += columns) {
                int count = Math.min(columns, positions - first);
                for (int column = 0; column < count; column++) {
                    int from = (first + column) * d;
                    int to = first * d + column;
                    for (int i = 0; i < d; i++, to += count) {
                        packed[to] = head[from + i];
                    }
                }
            }
            return positions * d;
        }

        /** Groups of columns {@code [positions, elements]}. */
        int packValues(int positions) {
            int columns = tiles.columns();
            for (int first = 0; first < d; first += columns) {
                int count = Math.min(columns, d - first);
                int to = first * positions;
                for (int position = 0; position < positions; position++, to += count) {
                    System.arraycopy(head, position * d + first, packed, to, count);
                }
            }
            return positions * d;
        }

        /**
         * Attention of some tiles of queries.
         *
         * @param first tile of the image
         */
        void attend(
                MemorySegment queries,
                MemorySegment keys,
                MemorySegment values,
                int positions,
                int first,
                MemorySegment out,
                int imageHead) {
            int count = (int) (queries.byteSize() / Float.BYTES / (ROWS * d));
            int columns = tiles.columns();
            long stride = (long) count * ROWS;
            for (int key = 0; key < positions; key += columns) {
                int keyCount = Math.min(columns, positions - key);
                MemorySegment group = slice(keys, (long) key * d, (long) keyCount * d);
                tiles.multiply(
                        queries, d, group, keyCount, slice(scores, key * stride, keyCount * stride), stride, false);
            }
            for (int t = 0; t < count; t++) {
                MemorySegment weights = slice(probabilities, 0, (long) positions * ROWS);
                softmax.exponentials(scores.asSlice((long) t * ROWS * Float.BYTES), stride, positions, weights, sums);
                for (int i = 0; i < d; i += columns) {
                    int elements = Math.min(columns, d - i);
                    MemorySegment group = slice(values, (long) i * positions, (long) elements * positions);
                    MemorySegment target = slice(outputs, (long) i * ROWS, (long) elements * ROWS);
                    tiles.multiply(weights, positions, group, elements, target, ROWS, false);
                }
                write(out, imageHead, positions, (first + t) * ROWS);
            }
        }

        private void write(MemorySegment out, int imageHead, int positions, int first) {
            MemorySegment.copy(outputs, FLOAT, 0, tile, 0, tile.length);
            MemorySegment.copy(sums, FLOAT, 0, factors, 0, ROWS);
            for (int query = 0; query < Math.min(ROWS, positions - first); query++) {
                float factor = 1 / factors[query];
                for (int i = 0; i < d; i++) {
                    row[i] = tile[i * ROWS + query] * factor;
                }
                MemorySegment.copy(row, 0, out, FLOAT, at(imageHead, positions, first + query), d);
            }
        }
    }
}
