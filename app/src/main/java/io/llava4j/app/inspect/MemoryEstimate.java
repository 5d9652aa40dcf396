package io.llava4j.app.inspect;

import io.llava4j.checkpoint.Converter.Precision;
import io.llava4j.checkpoint.GgufTypes;
import io.llava4j.checkpoint.layout.ExpectedTensors;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.ComputePrecision;
import io.llava4j.train.run.TrainableParts;
import io.llava4j.train.run.plan.MemoryPlan;
import io.llava4j.train.run.plan.ParameterCounts;
import io.llava4j.train.run.plan.PlannedRun;
import io.llava4j.train.run.shard.Sharding;
import java.util.List;
import java.util.Map;

/**
 * Memory of a whole model on the CPU, estimated from its configuration; all sizes in bytes.
 *
 * @param tokens in the sequence: text and image tokens
 * @param inference for every storage type of the weights
 * @param training for each stage of LLaVA-1.5, with one sequence at a time
 */
public record MemoryEstimate(int tokens, List<Inference> inference, List<Training> training) {
    /** Both stages truncate sequences to this length. */
    private static final int TOKENS = 2048;

    /** Of LLaVA-1.6, whose images are tiled. */
    private static final int TILED_TOKENS = 4096;

    /** The Java virtual machine, the engine's libraries and their buffers. */
    private static final long PROCESS = 700_000_000L;

    private static final int FLOAT = 4;

    /** Bytes of a 16-bit matrix that are upcast at a time. */
    private static final long TILE = 256L << 20;

    /**
     * Inference for one request. Computation is in 32-bit floats for any storage type.
     *
     * @param precision storage type of the matrices; the quantised ones as {@link GgufTypes} mixes them
     * @param weights mapped from the files
     * @param cache KV cache of the whole sequence
     * @param working other memory of the prefill, including the process itself
     * @param total sum of these
     */
    public record Inference(String precision, long weights, long cache, long working, long total) {}

    /**
     * A training stage in 32-bit floats, one sequence at a time.
     *
     * @param stage name, with the trained parts
     * @param trainable count of trainable parameters
     * @param weights of the whole model
     * @param gradients of the trainable parameters
     * @param moments both moments of AdamW
     * @param activations at the worst moment of the backward pass
     * @param total sum of these and the process
     */
    public record Training(
            String stage, long trainable, long weights, long gradients, long moments, long activations, long total) {}

    /** Estimates for a model of this configuration. */
    public static MemoryEstimate of(LlavaConfig config) {
        Map<String, long[]> shapes =
                ExpectedTensors.of(new ModelKind.Llava(config)).shapes();
        int longest = config.viewsPerImage() == 1 ? TOKENS : TILED_TOKENS;
        int tokens = Math.min(longest, config.text().maxPositionEmbeddings());
        List<Inference> inference = List.of(Precision.values()).stream()
                .map(precision -> inference(precision, config, shapes, tokens))
                .toList();
        return new MemoryEstimate(
                tokens,
                inference,
                List.of(
                        training("pretrain (projector)", false, config, tokens),
                        training("finetune (all but the tower)", true, config, tokens)));
    }

    private static Inference inference(
            Precision precision, LlavaConfig config, Map<String, long[]> shapes, int tokens) {
        long weights = 0;
        for (Map.Entry<String, long[]> tensor : shapes.entrySet()) {
            weights += bytes(precision, tensor.getKey(), tensor.getValue(), config.text());
        }
        TextConfig text = config.text();
        int cacheBytes = precision == Precision.F32 ? FLOAT : FLOAT / 2;
        long cache = 2L * text.layers() * text.kvHeads() * text.headDim() * tokens * cacheBytes;
        // One block at a time: input, sum, norm, queries, keys and values with their rotations; gate, up and product.
        long working = PROCESS + (long) tokens * (12L * text.hiddenSize() + 4L * text.intermediateSize()) * FLOAT;
        if (precision == Precision.F16 || precision == Precision.BF16) {
            working += Math.min(TILE, (long) text.hiddenSize() * text.intermediateSize() * FLOAT);
        }
        return new Inference(precision.name(), weights, cache, working, weights + cache + working);
    }

    /** Bytes of a tensor; vectors are upcast when they are loaded. */
    private static long bytes(Precision precision, String name, long[] shape, TextConfig text) {
        return switch (precision) {
            case F32 -> count(shape) * FLOAT;
            case F16, BF16 -> count(shape) * (shape.length == 1 ? FLOAT : FLOAT / 2);
            case Q8_0, Q4_0, Q4_K_M ->
                GgufTypes.of(precision).of(name, shape, text).bytes(count(shape));
        };
    }

    /** What a {@link MemoryPlan} says of a sequence with an image. */
    private static Training training(String stage, boolean languageModel, LlavaConfig config, int tokens) {
        PlannedRun run = new PlannedRun(
                config,
                new TrainableParts(true, languageModel, false),
                null,
                ComputePrecision.FP32,
                Sharding.NONE,
                1,
                new PlannedRun.Batch(1, tokens, Math.max(1, tokens - config.minTokensPerImage()), 1),
                1,
                1,
                false);
        MemoryPlan plan = MemoryPlan.of(run);
        return new Training(
                stage,
                ParameterCounts.of(run).trained(),
                plan.weights(),
                plan.gradients(),
                plan.moments(),
                plan.activations(),
                plan.total() + PROCESS);
    }

    private static long count(long[] shape) {
        long count = 1;
        for (long size : shape) {
            count *= size;
        }
        return count;
    }
}
