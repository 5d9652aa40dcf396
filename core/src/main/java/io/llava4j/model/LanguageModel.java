package io.llava4j.model;

import io.llava4j.model.config.TextConfig;
import java.util.function.Consumer;
import org.bytedeco.pytorch.Tensor;

/**
 * A LLaMA language model, wherever it computes: {@link LlamaModel} with the tensor engine, for training and for GPUs,
 * {@link io.llava4j.model.cpu.CpuLlamaModel} with the CPU kernels.
 */
public interface LanguageModel extends AutoCloseable {
    /** Shape of the language model. */
    TextConfig config();

    /** Token embeddings: {@code [...] -> [..., hidden]}. */
    Tensor embed(Tensor ids);

    /** A tensor of the device and the type of the hidden states. */
    Tensor like();

    /**
     * Hidden states of whole sequences that start at position 0, before the final norm. Sequences are padded on the right:
     * with causal attention no real token sees the padding.
     *
     * @param embeds {@code [batch, tokens, hidden]}
     * @param inputOfBlock sees the input of every block, {@code [batch, tokens, hidden]}
     * @return {@code [batch, tokens, hidden]}
     */
    Tensor hiddenStates(Tensor embeds, Consumer<Tensor> inputOfBlock);

    /** Logits of hidden states, final norm included: {@code [..., hidden] -> [..., vocab]}. */
    Tensor logits(Tensor hidden);

    @Override
    void close();
}
