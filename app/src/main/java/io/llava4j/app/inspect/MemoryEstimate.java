package io.llava4j.app.inspect;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import java.util.List;
import java.util.Map;

/**
 * The memory a whole model takes on the CPU, estimated from its configuration; all sizes in bytes.
 *
 * @param tokens in the sequence: text and image rows
 * @param answering a row for every precision weights may be stored in
 * @param training a row for each stage of LLaVA-1.5, for one sequence at a time
 */
public record MemoryEstimate(int tokens, List<Answering> answering, List<Training> training) {
    /** The length both stages cut sequences to. */
    private static final int TOKENS = 2048;

    /** The Java machine, the engine's libraries and their buffers. */
    private static final long PROCESS = 700_000_000L;

    private static final int FLOAT = 4;

    /** As much of a narrow matrix is widened at a time. */
    private static final long TILE = 256L << 20;

    /**
     * Answering one request. Computation is in 32-bit floats whatever the weights are stored in.
     *
     * @param precision of the matrices; QUANTISED stands for every type in blocks, which is unpacked when it is loaded
     * @param weights mapped from the files
     * @param cache keys and values of the whole sequence
     * @param working what reading the sequence needs besides, the process itself included
     * @param total of these
     */
    public record Answering(String precision, long weights, long cache, long working, long total) {}

    /**
     * A training stage in 32-bit floats, one sequence at a time.
     *
     * @param stage what it trains
     * @param trainable parameters that learn
     * @param weights of the whole model
     * @param gradients of what learns
     * @param moments AdamW's two
     * @param activations kept for the way back
     * @param total of these and the process
     */
    public record Training(
            String stage, long trainable, long weights, long gradients, long moments, long activations, long total) {}

    private enum Precision {
        F32(4, 4),
        BF16(2, 2),
        F16(2, 2),
        QUANTISED(4, 2);

        private final int decoder;
        private final int other;

        /** Bytes per number of the matrices of the decoder and of the other parts. */
        Precision(int decoder, int other) {
            this.decoder = decoder;
            this.other = other;
        }

        private long bytes(String name, long[] shape) {
            if (shape.length == 1) {
                return FLOAT;
            }
            return name.startsWith(CanonicalNames.TOWER) || name.startsWith(CanonicalNames.PROJECTOR) ? other : decoder;
        }
    }

    /** Estimates for a model of this configuration. */
    public static MemoryEstimate of(LlavaConfig config) {
        Map<String, long[]> shapes =
                ExpectedTensors.of(new ModelKind.Llava(config)).shapes();
        int tokens = Math.min(TOKENS, config.text().maxPositionEmbeddings());
        List<Answering> answering = List.of(Precision.values()).stream()
                .map(precision -> answering(precision, config, shapes, tokens))
                .toList();
        long projector = parameters(shapes, CanonicalNames.PROJECTOR);
        long tower = parameters(shapes, CanonicalNames.TOWER);
        long all = parameters(shapes, "");
        return new MemoryEstimate(
                tokens,
                answering,
                List.of(
                        training("1 (projector)", projector, all, frozenBlock(config.text()), config, tokens),
                        training(
                                "2 (projector and decoder)",
                                all - tower,
                                all,
                                learningBlock(config.text()),
                                config,
                                tokens)));
    }

    private static Answering answering(
            Precision precision, LlavaConfig config, Map<String, long[]> shapes, int tokens) {
        long weights = 0;
        for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
            weights += count(tensor.getValue()) * precision.bytes(tensor.getKey(), tensor.getValue());
        }
        TextConfig text = config.text();
        long cache = 2L * text.layers() * text.kvHeads() * text.headDim() * tokens * FLOAT;
        // One block at a time: input, sum, norm, queries, keys and values with their rotations; gate, up and product.
        long working = PROCESS + (long) tokens * (12L * text.hiddenSize() + 4L * text.intermediateSize()) * FLOAT;
        if (precision.decoder < FLOAT) {
            working += Math.min(TILE, (long) text.hiddenSize() * text.intermediateSize() * FLOAT);
        }
        return new Answering(precision.name(), weights, cache, working, weights + cache + working);
    }

    /** Numbers a block keeps per token where its weights are frozen: inputs of norms, attention's operands, the MLP's. */
    private static long frozenBlock(TextConfig text) {
        return 6L * text.hiddenSize() + 3L * text.intermediateSize();
    }

    /** As {@link #frozenBlock}, and the input of every linear layer. */
    private static long learningBlock(TextConfig text) {
        return 9L * text.hiddenSize() + 4L * text.intermediateSize();
    }

    private static Training training(
            String stage, long trainable, long all, long perTokenAndBlock, LlavaConfig config, int tokens) {
        TextConfig text = config.text();
        // Logits, their logarithm and their gradient stand beside what the blocks keep.
        long activations = tokens * (text.layers() * perTokenAndBlock + 3L * text.vocabSize()) * FLOAT;
        long weights = all * FLOAT;
        long gradients = trainable * FLOAT;
        long moments = 2 * gradients;
        return new Training(
                stage,
                trainable,
                weights,
                gradients,
                moments,
                activations,
                weights + gradients + moments + activations + PROCESS);
    }

    private static long parameters(Map<String, long[]> shapes, String prefix) {
        return shapes.entrySet().stream()
                .filter(tensor -> tensor.getKey().startsWith(prefix))
                .mapToLong(tensor -> count(tensor.getValue()))
                .sum();
    }

    private static long count(long[] shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }
}
