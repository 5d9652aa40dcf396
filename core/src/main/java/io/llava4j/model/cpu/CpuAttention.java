package io.llava4j.model.cpu;

import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.kernel.FloatTiles;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.RowMath;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Attention of new tokens to the keys and values of their context. Every query adds up whole pages in the order of their
 * positions, so its result depends neither on how its context was read nor on other queries.
 */
final class CpuAttention {
    private static final int POSITIONS = KvLayout.POSITIONS;
    private static final long ALIGNMENT = 64;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT;
    private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT;

    private final int heads;
    private final RowMath math;
    private final FloatTiles halves;
    private final FloatTiles floats;
    private final Scratch[] scratch;

    /**
     * @param heads of queries
     * @param workers threads that may attend at the same time
     */
    CpuAttention(int heads, Kernels kernels, RowMath math, int workers) {
        this.math = math;
        this.heads = heads;
        this.halves = new FloatTiles(kernels, BlockFormat.F16);
        this.floats = new FloatTiles(kernels, BlockFormat.F32);
        this.scratch = new Scratch[workers];
        for (int i = 0; i < workers; i++) {
            scratch[i] = new Scratch();
        }
    }

    /** Most queries of one key-value head that attend together. */
    int group(KvLayout layout) {
        return tiles(layout).columns();
    }

    private FloatTiles tiles(KvLayout layout) {
        return layout.type() == DType.F16 ? halves : floats;
    }

    /**
     * Stores the keys and values of one token.
     *
     * @param key {@code [kvHeads, headDim]}, rotated
     * @param value {@code [kvHeads, headDim]}
     * @param position of the token in its sequence
     */
    void store(KvContext context, int layer, int position, float[] key, float[] value) {
        KvLayout layout = context.layout();
        MemorySegment page = context.page(position / POSITIONS).memory();
        int slot = position % POSITIONS;
        boolean halves = layout.type() == DType.F16;
        int d = layout.headDim();
        for (int head = 0; head < layout.kvHeads(); head++) {
            long keys = layout.keysAt(layer, head) / layout.type().bytes();
            long values = layout.valuesAt(layer, head) / layout.type().bytes();
            for (int i = 0; i < d; i++) {
                if (halves) {
                    page.setAtIndex(HALF, keys + layout.key(slot, i), Float.floatToFloat16(key[head * d + i]));
                    page.setAtIndex(HALF, values + layout.value(slot, i), Float.floatToFloat16(value[head * d + i]));
                } else {
                    page.setAtIndex(FLOAT, keys + layout.key(slot, i), key[head * d + i]);
                    page.setAtIndex(FLOAT, values + layout.value(slot, i), value[head * d + i]);
                }
            }
        }
    }

    private static MemorySegment keys(KvContext context, int page, int layer, int head) {
        KvLayout layout = context.layout();
        return context.page(page).memory().asSlice(layout.keysAt(layer, head), layout.keyBytes());
    }

    private static MemorySegment values(KvContext context, int page, int layer, int head) {
        KvLayout layout = context.layout();
        return context.page(page).memory().asSlice(layout.valuesAt(layer, head), layout.valueBytes());
    }

    /**
     * Queries of one key-value head, of neighbouring tokens of a sequence. The query heads that share the key-value head
     * are counted first, then the tokens.
     *
     * @param row of the first token among the pass's rows
     * @param position of the first token
     * @param kvHead the head
     * @param from first query, counted from the first query head of the first token
     * @param count of queries, at most {@link #group}
     */
    record Queries(KvContext context, int row, int position, int kvHead, int from, int count) {}

    /**
     * Attention of queries, which takes their place.
     *
     * @param rows {@code [tokens, heads, headDim]}, rotated queries
     */
    void attend(Queries queries, int layer, MemorySegment rows, int worker) {
        KvLayout layout = queries.context().layout();
        int d = layout.headDim();
        int shared = heads / layout.kvHeads();
        int count = queries.count();
        int last = queries.position() + (queries.from() + count - 1) / shared;
        int pages = last / POSITIONS + 1;
        int stride = pages * POSITIONS;
        Scratch memory = scratch[worker].reserve(count, d, layout.paddedDim(), stride);
        float scale = (float) (1 / Math.sqrt(d));
        for (int c = 0; c < count; c++) {
            float[] query = CpuPass.get(rows, rowOf(queries, c, shared), d);
            for (int i = 0; i < d; i++) {
                memory.queries.setAtIndex(FLOAT, (long) i * count + c, query[i] * scale);
            }
        }
        for (int page = 0; page < pages; page++) {
            tiles(layout)
                    .multiply(
                            keys(queries.context(), page, layer, queries.kvHead()),
                            d,
                            memory.queries,
                            count,
                            memory.scores.asSlice((long) page * POSITIONS * Float.BYTES),
                            stride,
                            false);
        }
        memory.probabilities.asSlice(0, (long) count * stride * Float.BYTES).fill((byte) 0);
        for (int c = 0; c < count; c++) {
            int visible = queries.position() + (queries.from() + c) / shared + 1;
            MemorySegment scores = memory.scores.asSlice((long) c * stride * Float.BYTES, (long) stride * Float.BYTES);
            float factor = math.softmax(scores, memory.lanes, visible);
            for (int i = 0; i < visible; i++) {
                memory.probabilities.setAtIndex(FLOAT, (long) i * count + c, scores.getAtIndex(FLOAT, i) * factor);
            }
        }
        for (int page = 0; page < pages; page++) {
            tiles(layout)
                    .multiply(
                            values(queries.context(), page, layer, queries.kvHead()),
                            POSITIONS,
                            memory.probabilities.asSlice((long) page * POSITIONS * count * Float.BYTES),
                            count,
                            memory.outputs,
                            layout.paddedDim(),
                            page > 0);
        }
        for (int c = 0; c < count; c++) {
            MemorySegment.copy(
                    memory.outputs,
                    (long) c * layout.paddedDim() * Float.BYTES,
                    rows,
                    (long) rowOf(queries, c, shared) * d * Float.BYTES,
                    (long) d * Float.BYTES);
        }
    }

    /** Index of a query in {@code [tokens, heads]}. */
    private int rowOf(Queries queries, int column, int shared) {
        int query = queries.from() + column;
        return (queries.row() + query / shared) * heads + queries.kvHead() * shared + query % shared;
    }

    /** Memory of one worker; it grows with the longest sequence. */
    private static final class Scratch {
        private MemorySegment queries = MemorySegment.NULL;
        private MemorySegment scores = MemorySegment.NULL;
        private MemorySegment probabilities = MemorySegment.NULL;
        private MemorySegment outputs = MemorySegment.NULL;
        private final MemorySegment lanes = Arena.ofAuto().allocate(ALIGNMENT, ALIGNMENT);

        Scratch reserve(int columns, int dim, int paddedDim, int positions) {
            queries = atLeast(queries, (long) columns * dim);
            scores = atLeast(scores, (long) columns * positions);
            probabilities = atLeast(probabilities, (long) columns * positions);
            outputs = atLeast(outputs, (long) columns * paddedDim);
            return this;
        }

        private static MemorySegment atLeast(MemorySegment memory, long floats) {
            long bytes = floats * Float.BYTES;
            return memory.byteSize() >= bytes ? memory : Arena.ofAuto().allocate(2 * bytes, ALIGNMENT);
        }
    }
}
