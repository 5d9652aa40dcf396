package io.llava4j.generate;

import java.util.List;

/**
 * How an answer is decoded (spec/model 1.10).
 *
 * @param maxNewTokens longest answer in tokens
 * @param temperature 0 for greedy decoding
 * @param topP nucleus; 1 keeps everything
 * @param topK 0 keeps everything
 * @param repetitionPenalty 1 for none
 * @param seed of the sampler
 * @param stop texts of which the first to appear ends the answer; it is not part of it
 */
public record GenerationOptions(
        int maxNewTokens,
        double temperature,
        double topP,
        int topK,
        double repetitionPenalty,
        long seed,
        List<String> stop) {

    public GenerationOptions {
        stop = List.copyOf(stop);
    }

    /** Without stop texts: only the model's own end token ends an answer. */
    public GenerationOptions(
            int maxNewTokens, double temperature, double topP, int topK, double repetitionPenalty, long seed) {
        this(maxNewTokens, temperature, topP, topK, repetitionPenalty, seed, List.of());
    }

    /** Greedy decoding, as every benchmark of LLaVA-1.5 uses it. */
    public static GenerationOptions greedy(int maxNewTokens) {
        return new GenerationOptions(maxNewTokens, 0, 1, 0, 1, 0);
    }
}
