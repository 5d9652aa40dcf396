package io.llava4j.model.config;

import io.llava4j.model.Linear;
import java.util.List;
import java.util.SequencedMap;
import java.util.stream.IntStream;

/**
 * The tensors of a LLaMA language model (docs/reference/model.md#language-model).
 *
 * @param lmHead the head, which reads the token embeddings where it is tied to them
 * @param isTied whether it is
 */
public record LlamaParameters(Single tokenEmbeddings, List<Block> blocks, Norm norm, Linear lmHead, boolean isTied)
        implements Parameters {
    private static final String EMBEDDINGS = "model.embed_tokens.";

    /** The token embedding table. */
    public static final String EMBED_TOKENS = EMBEDDINGS + "weight";

    /** Prefix of every block; the block's index follows it. */
    public static final String LAYERS = "model.layers.";

    /** Prefix of the last RMSNorm. */
    public static final String NORM = "model.norm.";

    /** Prefix of the LM head. */
    public static final String LM_HEAD = "lm_head.";

    /** The tensors of a language model of that shape. */
    public static LlamaParameters of(TextConfig config) {
        long hidden = config.hiddenSize();
        return new LlamaParameters(
                new Single(EMBED_TOKENS, config.vocabSize(), hidden),
                IntStream.range(0, config.layers())
                        .mapToObj(i -> Block.of(LAYERS + i + ".", config))
                        .toList(),
                new Norm(NORM, hidden, false),
                new Linear(config.tieWordEmbeddings() ? EMBEDDINGS : LM_HEAD, config.vocabSize(), hidden, false),
                config.tieWordEmbeddings());
    }

    @Override
    public void addTo(SequencedMap<String, long[]> shapes) {
        tokenEmbeddings.addTo(shapes);
        blocks.forEach(block -> block.addTo(shapes));
        norm.addTo(shapes);
        if (!isTied) {
            lmHead.addTo(shapes);
        }
    }

    /** A transformer block. */
    public record Block(
            Linear query,
            Linear key,
            Linear value,
            Linear out,
            Linear gate,
            Linear up,
            Linear down,
            Norm inputNorm,
            Norm postAttentionNorm)
            implements Parameters {
        static Block of(String prefix, TextConfig config) {
            long hidden = config.hiddenSize();
            long inner = config.intermediateSize();
            long queries = (long) config.heads() * config.headDim();
            long keys = (long) config.kvHeads() * config.headDim();
            return new Block(
                    new Linear(prefix + "self_attn.q_proj.", queries, hidden, false),
                    new Linear(prefix + "self_attn.k_proj.", keys, hidden, false),
                    new Linear(prefix + "self_attn.v_proj.", keys, hidden, false),
                    new Linear(prefix + "self_attn.o_proj.", hidden, queries, false),
                    new Linear(prefix + "mlp.gate_proj.", inner, hidden, false),
                    new Linear(prefix + "mlp.up_proj.", inner, hidden, false),
                    new Linear(prefix + "mlp.down_proj.", hidden, inner, false),
                    new Norm(prefix + "input_layernorm.", hidden, false),
                    new Norm(prefix + "post_attention_layernorm.", hidden, false));
        }

        /** Its linear layers. */
        public List<Linear> linears() {
            return List.of(query, key, value, out, gate, up, down);
        }

        @Override
        public void addTo(SequencedMap<String, long[]> shapes) {
            linears().forEach(layer -> layer.addTo(shapes));
            inputNorm.addTo(shapes);
            postAttentionNorm.addTo(shapes);
        }
    }
}
