package io.llava4j.model.cpu;

import io.llava4j.model.RotaryTable;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.kernel.Activations;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.RowMath;
import io.llava4j.tensor.kernel.WorkMemory;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hidden states on their way through the blocks, a row for each of up to {@value TextConfig#TOKENS_PER_PASS} tokens. The rows may belong to any
 * sequences; they meet only in the products with the weights, which treat every row alike.
 */
final class CpuPass implements AutoCloseable {
    private static final int ROWS = TextConfig.TOKENS_PER_PASS;
    private static final int LOGIT_ROWS = TextConfig.LOGITS_PER_PASS;

    private final TextConfig config;
    private final RotaryTable rotary;
    private final RowMath math;
    private final CpuAttention attention;
    private final Kernels kernels;
    private final Workers workers;
    private final WorkMemory memory = new WorkMemory();
    private final Activations activations = new Activations(memory);
    private final MemorySegment states;
    private final MemorySegment normed;
    private final MemorySegment queries;
    private final MemorySegment keys;
    private final MemorySegment values;
    private final MemorySegment gates;
    private final MemorySegment ups;
    private final MemorySegment logits;
    private @Nullable InputObserver observer;
    private final KvContext[] contexts = new KvContext[ROWS];
    private final int[] positions = new int[ROWS];
    private MemorySegment taken = MemorySegment.NULL;
    private int rows;

    CpuPass(TextConfig config, RotaryTable rotary, Kernels kernels, Workers workers) {
        this.config = config;
        this.rotary = rotary;
        this.math = new RowMath(kernels);
        this.attention = new CpuAttention(config.heads(), kernels, math, workers.count());
        this.kernels = kernels;
        this.workers = workers;
        this.states = rows(config.hiddenSize());
        this.normed = rows(config.hiddenSize());
        this.queries = rows(config.heads() * config.headDim());
        this.keys = rows(config.kvHeads() * config.headDim());
        this.values = rows(config.kvHeads() * config.headDim());
        this.gates = rows(config.intermediateSize());
        this.ups = rows(config.intermediateSize());
        this.logits = rows(LOGIT_ROWS, config.vocabSize());
    }

    private MemorySegment rows(int width) {
        return rows(ROWS, width);
    }

    private MemorySegment rows(int count, int width) {
        return memory.atLeast(MemorySegment.NULL, (long) count * width);
    }

    /** Sees what matrices multiply. */
    @FunctionalInterface
    interface InputObserver {
        /** @param x {@code [rows, in]} floats, valid during the call */
        void multiplies(PackedMatrix weight, MemorySegment x, int rows);
    }

    /** Reads a matrix and does nothing else. */
    void read(PackedMatrix matrix) {
        kernels.read(matrix, workers);
    }

    /** From now on, {@code observer} sees what the matrices multiply; null for nobody. */
    void observe(@Nullable InputObserver observer) {
        this.observer = observer;
    }

    /** Forgets the rows of the last pass. */
    void clear() {
        rows = 0;
    }

    int free() {
        return ROWS - rows;
    }

    int rows() {
        return rows;
    }

    /**
     * Adds the next tokens of a sequence.
     *
     * @param embeds {@code [tokens, hidden]}
     * @param from first of them to add
     * @param tokens number of them to add
     */
    void add(KvContext context, MemorySegment embeds, int from, int tokens) {
        context.reserve(tokens);
        long width = (long) config.hiddenSize() * Float.BYTES;
        MemorySegment.copy(embeds, from * width, states, rows * width, tokens * width);
        for (int i = 0; i < tokens; i++) {
            contexts[rows] = context;
            positions[rows++] = context.length() + i;
        }
        context.advance(tokens);
    }

    /** The hidden states {@code [rows, hidden]}: before the first block the embeddings, after the last one its output. */
    MemorySegment states() {
        return states;
    }

    /** Passes all rows through a block. */
    void forward(CpuBlock block, int layer) {
        int d = config.headDim();
        norm(block.inputNorm());
        multiply(block.query(), queries);
        multiply(block.key(), keys);
        multiply(block.value(), values);
        workers.run(rows, (row, worker) -> {
            float[] query = get(queries, row, config.heads() * d);
            RowMath.rotate(query, d, rotary.cos(), rotary.sin(), positions[row]);
            put(query, queries, row);
            float[] key = get(keys, row, config.kvHeads() * d);
            RowMath.rotate(key, d, rotary.cos(), rotary.sin(), positions[row]);
            attention.store(contexts[row], layer, positions[row], key, get(values, row, config.kvHeads() * d));
        });
        List<CpuAttention.Queries> attending = queries();
        workers.run(attending.size(), (i, worker) -> attention.attend(attending.get(i), layer, queries, worker));
        take(queries, config.heads() * d);
        add(block.out(), states);
        norm(block.postAttentionNorm());
        multiply(block.gate(), gates);
        multiply(block.up(), ups);
        long bytes = (long) config.intermediateSize() * Float.BYTES;
        workers.run(
                rows, (row, worker) -> math.swiglu(gates.asSlice(row * bytes, bytes), ups.asSlice(row * bytes, bytes)));
        take(gates, config.intermediateSize());
        add(block.down(), states);
    }

    /** Groups the queries of neighbouring rows of a sequence, which read the same keys and values. */
    private List<CpuAttention.Queries> queries() {
        List<CpuAttention.Queries> groups = new ArrayList<>();
        int shared = config.heads() / config.kvHeads();
        for (int first = 0; first < rows; ) {
            int next = first + 1;
            while (next < rows && contexts[next] == contexts[first]) {
                next++;
            }
            KvContext context = contexts[first];
            int group = attention.group(context.layout());
            int queries = (next - first) * shared;
            for (int from = 0; from < queries; from += group) {
                for (int head = 0; head < config.kvHeads(); head++) {
                    groups.add(new CpuAttention.Queries(
                            context, first, positions[first], head, from, Math.min(group, queries - from)));
                }
            }
            first = next;
        }
        return groups;
    }

    /**
     * Logits of rows.
     *
     * @param hidden {@code [count, hidden]}, before the final norm
     * @return {@code [count, vocab]}
     */
    float[] logits(float[] hidden, int count, float[] weight, PackedMatrix head) {
        int width = config.hiddenSize();
        float[] result = new float[Math.multiplyExact(count, config.vocabSize())];
        for (int from = 0; from < count; from += LOGIT_ROWS) {
            clear();
            rows = Math.min(LOGIT_ROWS, count - from);
            MemorySegment.copy(hidden, from * width, states, ValueLayout.JAVA_FLOAT, 0, rows * width);
            norm(weight);
            multiply(head, logits);
            MemorySegment.copy(
                    logits, ValueLayout.JAVA_FLOAT, 0, result, from * config.vocabSize(), rows * config.vocabSize());
        }
        return result;
    }

    /** Norms the states into the kernels' activations. */
    private void norm(float[] weight) {
        int width = config.hiddenSize();
        workers.run(rows, (row, worker) -> {
            float[] x = get(states, row, width);
            RowMath.rmsNorm(x, weight, config.rmsNormEps(), x);
            put(x, normed, row);
        });
        take(normed, width);
    }

    private void multiply(PackedMatrix weight, MemorySegment to) {
        show(weight);
        kernels.multiply(weight, activations, to, weight.out(), workers);
    }

    private void add(PackedMatrix weight, MemorySegment to) {
        show(weight);
        kernels.multiplyAdd(weight, activations, to, weight.out(), workers);
    }

    private void show(PackedMatrix weight) {
        if (observer != null) {
            observer.multiplies(weight, taken, rows);
        }
    }

    private void take(MemorySegment x, int width) {
        taken = x;
        activations.set(x, width, rows, width);
    }

    static float[] get(MemorySegment from, int row, int width) {
        float[] values = new float[width];
        MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, (long) row * width * Float.BYTES, values, 0, width);
        return values;
    }

    static void put(float[] values, MemorySegment to, int row) {
        MemorySegment.copy(
                values, 0, to, ValueLayout.JAVA_FLOAT, (long) row * values.length * Float.BYTES, values.length);
    }

    @Override
    public void close() {
        memory.close();
    }
}
