package io.llava4j.model.config;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;

/**
 * Shape of a LLaMA language model (docs/reference/model.md#language-model).
 *
 * @param hiddenSize width of the hidden states
 * @param intermediateSize width of the SwiGLU MLP
 * @param layers number of blocks
 * @param heads number of query heads
 * @param kvHeads number of key and value heads; divides {@code heads}
 * @param vocabSize size of the vocabulary, that is of the embedding table and the LM head
 * @param maxPositionEmbeddings longest sequence in tokens
 * @param rmsNormEps epsilon of every RMSNorm
 * @param ropeTheta base of the rotary embedding
 * @param tieWordEmbeddings whether the LM head is the embedding table
 * @param bosTokenId id at the start of a sequence
 * @param eosTokenId id that ends an answer
 * @param padTokenId id that pads the sequences of a batch
 * @param ropeFactor positions are divided by it (linear RoPE scaling); 1 for none
 * @param moreEosTokenIds further ids that end an answer; empty in LLaVA-1.5
 */
public record TextConfig(
        int hiddenSize,
        int intermediateSize,
        int layers,
        int heads,
        int kvHeads,
        int vocabSize,
        int maxPositionEmbeddings,
        double rmsNormEps,
        double ropeTheta,
        boolean tieWordEmbeddings,
        int bosTokenId,
        int eosTokenId,
        int padTokenId,
        double ropeFactor,
        List<Integer> moreEosTokenIds) {

    /**
     * Tokens that the CPU reads at a time: enough to use each weight many times, few enough that their activations stay
     * small.
     */
    public static final int TOKENS_PER_PASS = 256;

    /** Positions whose logits the CPU computes at a time. */
    public static final int LOGITS_PER_PASS = 32;

    /** Vicuna-7B v1.5. */
    public static final TextConfig VICUNA_7B =
            new TextConfig(4096, 11008, 32, 32, 32, 32000, 4096, 1e-5, 10000, false, 1, 2, 0);

    /** A shape without RoPE scaling and with one id that ends an answer. */
    public TextConfig(
            int hiddenSize,
            int intermediateSize,
            int layers,
            int heads,
            int kvHeads,
            int vocabSize,
            int maxPositionEmbeddings,
            double rmsNormEps,
            double ropeTheta,
            boolean tieWordEmbeddings,
            int bosTokenId,
            int eosTokenId,
            int padTokenId) {
        this(
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                vocabSize,
                maxPositionEmbeddings,
                rmsNormEps,
                ropeTheta,
                tieWordEmbeddings,
                bosTokenId,
                eosTokenId,
                padTokenId,
                1,
                List.of());
    }

    /** All ids that end an answer. */
    public SequencedSet<Integer> eosTokenIds() {
        SequencedSet<Integer> ids = new LinkedHashSet<>();
        ids.add(eosTokenId);
        ids.addAll(moreEosTokenIds);
        return ids;
    }

    /** Width of one attention head. */
    public int headDim() {
        return hiddenSize / heads;
    }

    /** The same with another number of rows in the embedding table and the LM head. */
    public TextConfig withVocabSize(int vocabSize) {
        return new TextConfig(
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                vocabSize,
                maxPositionEmbeddings,
                rmsNormEps,
                ropeTheta,
                tieWordEmbeddings,
                bosTokenId,
                eosTokenId,
                padTokenId,
                ropeFactor,
                moreEosTokenIds);
    }

    /** The same with another padding token. */
    public TextConfig withPadTokenId(int padTokenId) {
        return new TextConfig(
                hiddenSize,
                intermediateSize,
                layers,
                heads,
                kvHeads,
                vocabSize,
                maxPositionEmbeddings,
                rmsNormEps,
                ropeTheta,
                tieWordEmbeddings,
                bosTokenId,
                eosTokenId,
                padTokenId,
                ropeFactor,
                moreEosTokenIds);
    }
}
