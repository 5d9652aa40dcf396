package io.llava4j.generate.session;

import io.llava4j.model.LlavaModel;
import io.llava4j.model.cpu.CpuLlamaModel;
import io.llava4j.tensor.Engine;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Sequences that are decoded together: a prefill of their prompts, then one token of each at a time. What the tokens are
 * is the caller's choice. Use it inside {@link Engine#inference}.
 */
public sealed interface DecodingSession extends AutoCloseable permits TensorDecodingSession, CpuDecodingSession {
    /**
     * Reads prompts.
     *
     * @param prompts token ids of each sequence, with image placeholders
     * @param images normalised pixels {@code [3, size, size]} in the order of the placeholders; the same array is the same
     *     image and goes through the vision tower once
     */
    static DecodingSession open(LlavaModel model, List<int[]> prompts, List<float[]> images) {
        return open(model, ImagePrompt.of(prompts, images), null, null);
    }

    /**
     * Reads prompts.
     *
     * @param shared prefixes to be read once; null to read every prompt whole
     * @param last what a single prompt may continue on the CPU, and where it is remembered; null for nothing
     */
    static DecodingSession open(
            LlavaModel model, List<ImagePrompt> prompts, @Nullable SharedPrefixes shared, @Nullable LastSequence last) {
        return model.languageModel() instanceof CpuLlamaModel cpu
                ? new CpuDecodingSession(model, cpu, prompts, shared, last)
                : new TensorDecodingSession(model, prompts, shared);
    }

    /** Logits of a sequence's next token, {@code [vocab]}; not between {@link #keep} and {@link #decodeStep}. */
    float[] logits(int sequence);

    /** Sequences that are still decoded. */
    int size();

    /** Reads one further token of every sequence. */
    void decodeStep(int[] tokens);

    /** Keeps only these sequences, in this order. */
    void keep(int[] kept);

    /** Whether the logits of a sequence are the same to the last bit in every batch. */
    boolean isBatchIndependent();

    @Override
    void close();
}
