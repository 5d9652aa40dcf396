package io.llava4j.model.cpu;

import io.llava4j.model.LanguageModel;
import io.llava4j.model.RotaryTable;
import io.llava4j.model.config.LlamaParameters;
import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.format.DType;
import io.llava4j.tensor.format.TensorCast;
import io.llava4j.tensor.kernel.Kernels;
import io.llava4j.tensor.kernel.PackedMatrix;
import io.llava4j.tensor.kernel.Workers;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A LLaMA language model on the CPU kernels (docs/reference/model.md#language-model). Its weights stay in the type that
 * their file has. A token's result is the same to the last bit whatever is read beside it and in however many chunks its
 * sequence is read: every sum runs in an order that only the token's own sequence determines.
 */
public final class CpuLlamaModel implements LanguageModel {
    private final TextConfig config;
    private final CpuWeights.Stored embeddings;
    private final List<CpuBlock> blocks = new ArrayList<>();
    private final float[] norm;
    private final PackedMatrix head;
    private final KvLayout kv;
    private final CpuPass pass;

    /**
     * Brings the weights into the kernels' layout.
     *
     * @param config shape of the language model
     * @param weights tensors of {@link LlamaParameters}; the embeddings are read from them as long as the model is used
     * @param kvType of keys and values, F16 or F32
     */
    public CpuLlamaModel(TextConfig config, CpuWeights weights, DType kvType, Kernels kernels, Workers workers) {
        this.config = config;
        LlamaParameters names = LlamaParameters.of(config);
        CpuLoader loader = new CpuLoader(weights, workers);
        this.embeddings = weights.get(names.tokenEmbeddings().name());
        names.blocks().forEach(block -> blocks.add(CpuBlock.load(block, loader)));
        this.norm = loader.norm(names.norm());
        this.head = loader.matrix(names.lmHead());
        RotaryTable rotary = RotaryTable.of(
                config.headDim(), config.ropeTheta(), config.ropeFactor(), config.maxPositionEmbeddings());
        this.kv = layout(kvType);
        this.pass = new CpuPass(config, rotary, kernels, workers);
    }

    @Override
    public TextConfig config() {
        return config;
    }

    private KvLayout layout(DType type) {
        return new KvLayout(config.layers(), config.kvHeads(), config.headDim(), type);
    }

    /** A sequence that has read nothing. */
    public KvContext open() {
        return new KvContext(kv);
    }

    /**
     * Tokens that a sequence reads next.
     *
     * @param context of the sequence
     * @param embeds {@code [tokens, hidden]}
     * @param wanted number of the last tokens after which logits are wanted
     */
    public record Chunk(KvContext context, MemorySegment embeds, int tokens, int wanted) {}

    /**
     * Reads further tokens of sequences.
     *
     * @param chunks of different sequences, at least one token each
     * @return logits after the wanted tokens of each chunk, {@code [wanted, vocab]}
     */
    public synchronized float[] read(List<Chunk> chunks) {
        int width = config.hiddenSize();
        int[] first = new int[chunks.size()];
        int wanted = 0;
        for (int i = 0; i < first.length; i++) {
            first[i] = wanted;
            wanted += chunks.get(i).wanted();
        }
        float[] last = new float[Math.multiplyExact(wanted, width)];
        forward(chunks, (layer, part) -> {
            int unwanted = part.chunk().tokens() - part.chunk().wanted();
            int from = Math.max(part.from(), unwanted);
            int count = part.from() + part.count() - from;
            if (layer == blocks.size() && count > 0) {
                MemorySegment.copy(
                        pass.states(),
                        ValueLayout.JAVA_FLOAT,
                        (long) (part.row() + from - part.from()) * width * Float.BYTES,
                        last,
                        (first[part.index()] + from - unwanted) * width,
                        count * width);
            }
        });
        return pass.logits(last, wanted, norm, head);
    }

    /**
     * Neighbouring tokens of a chunk that one pass takes.
     *
     * @param index of the chunk
     * @param from first token, counted in the chunk
     * @param row of the first token in the pass
     */
    private record Part(int index, Chunk chunk, int from, int count, int row) {}

    @FunctionalInterface
    private interface Observer {
        /** Sees the states of a part before the block of that number; after the last block it is the number of blocks. */
        void states(int block, Part part);
    }

    private void forward(List<Chunk> chunks, Observer observer) {
        List<Part> parts = new ArrayList<>();
        pass.clear();
        for (int i = 0; i < chunks.size(); i++) {
            Chunk chunk = chunks.get(i);
            for (int from = 0; from < chunk.tokens(); ) {
                int count = Math.min(pass.free(), chunk.tokens() - from);
                parts.add(new Part(i, chunk, from, count, pass.rows()));
                pass.add(chunk.context(), chunk.embeds(), from, count);
                from += count;
                if (pass.free() == 0) {
                    forward(parts, observer);
                    parts.clear();
                    pass.clear();
                }
            }
        }
        if (!parts.isEmpty()) {
            forward(parts, observer);
        }
    }

    private void forward(Iterable<Part> parts, Observer observer) {
        for (int block = 0; block <= blocks.size(); block++) {
            for (Part part : parts) {
                observer.states(block, part);
            }
            if (block < blocks.size()) {
                pass.forward(blocks.get(block), block);
            }
        }
    }

    @Override
    public Tensor embed(Tensor ids) {
        long[] wanted = Tensors.toLongs(ids);
        long[] shape = Arrays.copyOf(Tensors.shape(ids), (int) ids.dim() + 1);
        shape[shape.length - 1] = config.hiddenSize();
        return Tensors.of(embed(wanted), shape);
    }

    /** Token embeddings, {@code [ids, hidden]}. */
    public float[] embed(long... ids) {
        int width = config.hiddenSize();
        float[] rows = new float[Math.multiplyExact(ids.length, width)];
        float[] row = new float[width];
        for (int i = 0; i < ids.length; i++) {
            TensorCast.decode(embeddings.format(), embeddings.rows(), ids[i] * width, width, row);
            System.arraycopy(row, 0, rows, i * width, width);
        }
        return rows;
    }

    @Override
    public Tensor like() {
        return Tensors.of(new float[1], 1);
    }

    /** {@inheritDoc} Attention reads keys and values in 32 bits, whatever the type of the caches. */
    @Override
    public synchronized Tensor hiddenStates(Tensor embeds, Consumer<Tensor> inputOfBlock) {
        int batch = (int) embeds.size(0);
        int tokens = (int) embeds.size(1);
        int width = config.hiddenSize();
        MemorySegment rows = MemorySegment.ofArray(Tensors.toFloats(embeds));
        long bytes = (long) tokens * width * Float.BYTES;
        float[][] states = new float[blocks.size() + 1][batch * tokens * width];
        List<Chunk> chunks = new ArrayList<>();
        try {
            for (int i = 0; i < batch; i++) {
                chunks.add(new Chunk(new KvContext(layout(DType.F32)), rows.asSlice(i * bytes, bytes), tokens, 0));
            }
            forward(
                    chunks,
                    (block, part) -> MemorySegment.copy(
                            pass.states(),
                            ValueLayout.JAVA_FLOAT,
                            (long) part.row() * width * Float.BYTES,
                            states[block],
                            (part.index() * tokens + part.from()) * width,
                            part.count() * width));
        } finally {
            chunks.forEach(chunk -> chunk.context().close());
        }
        for (int block = 0; block < blocks.size(); block++) {
            inputOfBlock.accept(Tensors.of(states[block], batch, tokens, width));
        }
        return Tensors.of(states[blocks.size()], batch, tokens, width);
    }

    @Override
    public synchronized Tensor logits(Tensor hidden) {
        long[] shape = Tensors.shape(hidden);
        int count = Math.toIntExact(hidden.numel() / config.hiddenSize());
        shape[shape.length - 1] = config.vocabSize();
        return Tensors.of(pass.logits(Tensors.toFloats(hidden), count, norm, head), shape);
    }

    /** From now on, adds what every matrix multiplies to {@code squares}; null for no longer. */
    public synchronized void observe(@Nullable InputSquares squares) {
        if (squares == null) {
            pass.observe(null);
            return;
        }
        Map<PackedMatrix, String> names = new HashMap<>();
        LlamaParameters parameters = LlamaParameters.of(config);
        for (int i = 0; i < blocks.size(); i++) {
            List<PackedMatrix> matrices = blocks.get(i).matrices();
            List<Parameters.Linear> layers = parameters.blocks().get(i).linears();
            for (int j = 0; j < matrices.size(); j++) {
                names.put(matrices.get(j), layers.get(j).prefix() + "weight");
            }
        }
        names.put(head, parameters.lmHead().prefix() + "weight");
        pass.observe((matrix, x, rows) -> squares.add(Objects.requireNonNull(names.get(matrix)), x, rows, matrix.in()));
    }

    /** Bytes of the keys and values of a sequence of that many tokens, which fill whole pages. */
    public long cacheBytes(int tokens) {
        return Math.ceilDiv(tokens, KvLayout.POSITIONS) * kv.pageBytes();
    }

    /** Reads all weights once and does nothing else: no token is decoded faster. */
    public synchronized void readWeights() {
        blocks.forEach(block -> block.matrices().forEach(pass::read));
        pass.read(head);
    }

    /** Bytes of the weights in the kernels' layout. */
    public long bytes() {
        return head.bytes() + blocks.stream().mapToLong(CpuBlock::bytes).sum();
    }

    @Override
    public void close() {
        pass.close();
        head.close();
        blocks.forEach(CpuBlock::close);
    }
}
