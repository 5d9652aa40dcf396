package io.llava4j.nano.pretrain;

import io.llava4j.model.config.TextConfig;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;

/**
 * Shape of a language model that starts from random weights, see {@link TextConfig}.
 *
 * @param hiddenSize width of the hidden states
 * @param intermediateSize width of the MLP
 * @param layers number of blocks
 * @param heads query heads; divides {@code hidden-size}
 * @param kvHeads key and value heads; divides {@code heads}, 0 for the number of {@code heads}
 * @param vocabSize size of the embedding table, at least the tokenizer's pieces
 * @param maxPositionEmbeddings longest sequence in tokens
 * @param ropeTheta base of the rotary embedding
 * @param tieWordEmbeddings whether the LM head shares the embedding table
 */
public record TextShape(
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        @Default("0") int kvHeads,
        int vocabSize,
        @Default("2048") int maxPositionEmbeddings,
        @Default("10000") double ropeTheta,
        @Default("false") boolean tieWordEmbeddings) {

    /** @throws io.llava4j.ConfigException if the sizes do not fit each other */
    public TextShape {
        Require.positive("hidden-size", hiddenSize);
        Require.positive("intermediate-size", intermediateSize);
        Require.positive("layers", layers);
        Require.positive("heads", heads);
        Require.atLeast("kv-heads", kvHeads, 0);
        Require.positive("vocab-size", vocabSize);
        Require.positive("max-position-embeddings", maxPositionEmbeddings);
        Require.positive("rope-theta", ropeTheta);
        Require.divides("heads", heads, "hidden-size", hiddenSize);
        Require.that(
                hiddenSize / heads % 2 == 0,
                "hidden-size divided by heads must be even for rotary embeddings, not " + hiddenSize / heads);
        if (kvHeads != 0) {
            Require.divides("kv-heads", kvHeads, "heads", heads);
        }
    }

    /** The language model of this shape, with Vicuna's epsilon and special ids. */
    public TextConfig toConfig() {
        TextConfig vicuna = TextConfig.VICUNA_7B;
        return new TextConfig(
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads == 0 ? heads : kvHeads,
                vocabSize,
                maxPositionEmbeddings,
                vicuna.rmsNormEps(),
                ropeTheta,
                tieWordEmbeddings,
                vicuna.bosTokenId(),
                vicuna.eosTokenId(),
                vicuna.padTokenId());
    }
}
