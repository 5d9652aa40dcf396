package io.llava4j.model;

import io.llava4j.model.config.LlamaParameters;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.model.config.Parameters;
import io.llava4j.model.config.TextConfig;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.LinearOperator;
import io.llava4j.tensor.Tensors;
import io.llava4j.tensor.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * A LLaMA language model (docs/reference/model.md#language-model): RMSNorm, rotary positions, grouped-query attention,
 * SwiGLU, no biases.
 */
public final class LlamaModel implements LanguageModel {
    private final TextConfig config;
    private final @Nullable LoraConfig lora;
    private final Tensor embedTokens;
    private final List<Block> blocks = new ArrayList<>();
    private final RmsNorm norm;
    private final LinearOperator lmHead;
    private final RotaryEmbedding rotary;

    /**
     * Reads the language model's tensors.
     *
     * @param config shape of the language model
     * @param weights tensors of {@link LlamaParameters}
     */
    public LlamaModel(TextConfig config, Weights weights) {
        this(config, weights, null);
    }

    /**
     * As {@link #LlamaModel(TextConfig, Weights)}, with adapters to be trained.
     *
     * @param lora of the adapters, whose tensors are among the weights; null where there are none
     */
    public LlamaModel(TextConfig config, Weights weights, @Nullable LoraConfig lora) {
        this.config = config;
        this.lora = lora;
        LlamaParameters names = LlamaParameters.of(config);
        this.embedTokens = weights.get(names.tokenEmbeddings().name());
        for (LlamaParameters.Block block : names.blocks()) {
            blocks.add(new Block(weights, block, blocks.size()));
        }
        this.norm = new RmsNorm(weights, names.norm());
        this.lmHead = weights.linear(names.lmHead().prefix());
        this.rotary = new RotaryEmbedding(config.headDim(), config.ropeTheta(), config.ropeFactor());
    }

    @Override
    public TextConfig config() {
        return config;
    }

    @Override
    public Tensor embed(Tensor ids) {
        return torch.embedding(embedTokens, ids).to(like().scalar_type());
    }

    /** {@inheritDoc} Matrices may be stored in a narrower type. */
    @Override
    public Tensor like() {
        return norm.weight;
    }

    /** {@link #hiddenStates(Tensor, Consumer)} without showing the blocks' inputs. */
    public Tensor hiddenStates(Tensor embeds) {
        return hiddenStates(embeds, state -> {});
    }

    @Override
    public Tensor hiddenStates(Tensor embeds, Consumer<Tensor> inputOfBlock) {
        return hiddenStates(embeds, inputOfBlock, PassListener.NONE);
    }

    /** {@link #hiddenStates(Tensor)} of a pass whose blocks someone follows. */
    Tensor hiddenStates(Tensor embeds, PassListener listener) {
        return hiddenStates(embeds, state -> {}, listener);
    }

    private Tensor hiddenStates(Tensor embeds, Consumer<Tensor> inputOfBlock, PassListener listener) {
        int tokens = Math.toIntExact(embeds.size(1));
        RotaryEmbedding.Angles angles = rotary.range(0, tokens, embeds);
        Tensor x = embeds;
        for (int i = 0; i < blocks.size(); i++) {
            inputOfBlock.accept(x);
            listener.before(i);
            x = forward(blocks.get(i), x, angles, null, null);
            listener.afterForward(i);
        }
        return x;
    }

    /** {@link #train(Tensor, int[], boolean, long, PassListener)} of sequences that are padded, which nobody follows. */
    public TrainingPass train(Tensor embeds, boolean checkpointing, long seed) {
        return train(embeds, null, checkpointing, seed, PassListener.NONE);
    }

    /**
     * Hidden states as {@link #hiddenStates(Tensor)}, of a pass whose gradients are wanted.
     *
     * @param embeds {@code [batch, tokens, hidden]}
     * @param packed lengths of the sequences that follow each other in a batch of one; null where they are padded
     * @param checkpointing whether blocks are computed again in the backward pass instead of being kept
     * @param seed of the adapters' dropout
     * @param listener follows the blocks
     */
    public TrainingPass train(
            Tensor embeds, int @Nullable [] packed, boolean checkpointing, long seed, PassListener listener) {
        int tokens = Math.toIntExact(embeds.size(1));
        RotaryEmbedding.Angles angles =
                packed == null ? rotary.range(0, tokens, embeds) : rotary.at(positions(packed), 1, tokens, embeds);
        return TrainingPass.run(embeds, blocks.size(), checkpointing, listener, (block, x) -> {
            if (lora != null && lora.dropout() > 0) {
                // Set again for every block, so that a block that is computed again drops the same elements.
                torch.manual_seed(seed * 0x9E3779B97F4A7C15L + block);
            }
            return Engine.freeingIntermediates(() -> blocks.get(block).train(x, angles, packed));
        });
    }

    /** Of sequences that follow each other; each starts at 0. */
    private static int[] positions(int[] lengths) {
        return Arrays.stream(lengths)
                .flatMap(length -> IntStream.range(0, length))
                .toArray();
    }

    /**
     * Reads further tokens of every sequence after those in the cache.
     *
     * @param embeds {@code [batch, tokens, hidden]}, padded on the right
     * @param counts real tokens of each sequence
     * @param cache keys and values so far; updated
     * @return hidden states before the final norm, {@code [batch, tokens, hidden]}
     */
    public Tensor hiddenStates(Tensor embeds, int[] counts, KvCache cache) {
        int tokens = Math.toIntExact(embeds.size(1));
        boolean first = cache.isEmpty();
        RotaryEmbedding.Angles angles = first
                ? rotary.range(0, tokens, embeds)
                : rotary.at(cache.nextPositions(tokens), embeds.size(0), tokens, embeds);
        KvCache.@Nullable Chunk chunk = first ? null : cache.chunk(tokens, embeds);
        Tensor x = embeds;
        for (Block block : blocks) {
            x = forward(block, x, angles, cache, chunk);
        }
        cache.advance(counts);
        return x;
    }

    private static Tensor forward(
            Block block,
            Tensor x,
            RotaryEmbedding.Angles angles,
            @Nullable KvCache cache,
            KvCache.@Nullable Chunk chunk) {
        return Engine.freeingIntermediates(() -> block.forward(x, angles, cache, chunk));
    }

    /** The final norm: {@code [..., hidden] -> [..., hidden]}. */
    public Tensor finalNorm(Tensor hidden) {
        return norm.forward(hidden);
    }

    @Override
    public Tensor logits(Tensor hidden) {
        return lmHead.apply(norm.forward(hidden));
    }

    /**
     * Hidden states of each sequence's last real token: {@code [batch, tokens, hidden] -> [batch, hidden]}.
     *
     * @param counts real tokens of each sequence
     */
    public static Tensor lastTokens(Tensor hidden, int[] counts) {
        long tokens = hidden.size(1);
        long[] last = new long[counts.length];
        Arrays.setAll(last, i -> i * tokens + counts[i] - 1);
        return hidden.reshape(hidden.size(0) * tokens, hidden.size(2))
                .index_select(0, Tensors.of(last, last.length).to(hidden.device(), torch.ScalarType.Long));
    }

    @Override
    public void close() {
        rotary.close();
    }

    /** Root-mean-square norm, computed in 32-bit floats and multiplied by the weight afterwards. */
    private final class RmsNorm {
        private final Tensor weight;

        RmsNorm(Weights weights, Parameters.Norm names) {
            this.weight = weights.get(names.prefix() + "weight");
        }

        Tensor forward(Tensor x) {
            return torch.rms_norm(
                    x,
                    new long[] {config.hiddenSize()},
                    Tensors.optional(weight),
                    new DoubleOptional(config.rmsNormEps()));
        }
    }

    private final class Block {
        private final int layer;
        private final RmsNorm inputNorm;
        private final RmsNorm postAttentionNorm;
        private final Linear query;
        private final Linear key;
        private final Linear value;
        private final Linear out;
        private final Linear gate;
        private final Linear up;
        private final Linear down;

        Block(Weights weights, LlamaParameters.Block names, int layer) {
            this.layer = layer;
            this.inputNorm = new RmsNorm(weights, names.inputNorm());
            this.postAttentionNorm = new RmsNorm(weights, names.postAttentionNorm());
            this.query = new Linear(weights, names.query().prefix(), lora);
            this.key = new Linear(weights, names.key().prefix(), lora);
            this.value = new Linear(weights, names.value().prefix(), lora);
            this.out = new Linear(weights, names.out().prefix(), lora);
            this.gate = new Linear(weights, names.gate().prefix(), lora);
            this.up = new Linear(weights, names.up().prefix(), lora);
            this.down = new Linear(weights, names.down().prefix(), lora);
        }

        Tensor forward(
                Tensor x, RotaryEmbedding.Angles angles, @Nullable KvCache cache, KvCache.@Nullable Chunk chunk) {
            return forward(x, angles, false, (q, k, v) -> {
                if (cache != null && chunk == null) {
                    cache.storeFirst(layer, k, v);
                }
                return cache == null || chunk == null
                        ? Attention.attend(q, k, v, null, true)
                        : cache.attend(layer, q, k, v, chunk);
            });
        }

        /** With the adapters' dropout; packed sequences see themselves only. */
        Tensor train(Tensor x, RotaryEmbedding.Angles angles, int @Nullable [] packed) {
            return forward(
                    x,
                    angles,
                    true,
                    (q, k, v) -> packed == null
                            ? Attention.attend(q, k, v, null, true)
                            : Attention.attendWithin(packed, q, k, v));
        }

        private Tensor forward(Tensor x, RotaryEmbedding.Angles angles, boolean dropout, Attending attending) {
            Tensor h = inputNorm.forward(x);
            Tensor q = rotated(query, h, config.heads(), angles, dropout);
            Tensor k = rotated(key, h, config.kvHeads(), angles, dropout);
            Tensor v = Attention.splitHeads(value.forward(h, dropout), config.kvHeads());
            Tensor attention = attending.apply(q, k, v);
            Tensor y = x.add(out.forward(Attention.mergeHeads(attention), dropout));
            Tensor m = postAttentionNorm.forward(y);
            return y.add(down.forward(torch.silu(gate.forward(m, dropout)).mul(up.forward(m, dropout)), dropout));
        }

        private static Tensor rotated(
                Linear layer, Tensor h, int heads, RotaryEmbedding.Angles angles, boolean dropout) {
            return Engine.freeingIntermediates(
                    () -> RotaryEmbedding.rotate(Attention.splitHeads(layer.forward(h, dropout), heads), angles));
        }
    }

    /** Attention of rotated queries and keys: {@code [batch, heads, tokens, headDim]}. */
    private interface Attending {
        Tensor apply(Tensor query, Tensor key, Tensor value);
    }
}
