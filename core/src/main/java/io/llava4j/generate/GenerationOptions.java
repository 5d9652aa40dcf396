package io.llava4j.generate;

import io.llava4j.ConfigException;
import java.util.List;

/**
 * How an answer is decoded (docs/reference/model.md#generation).
 *
 * @param maxNewTokens longest answer in tokens
 * @param temperature 0 for greedy decoding
 * @param topP nucleus; 1 keeps everything
 * @param topK 0 keeps everything
 * @param repetitionPenalty 1 for none
 * @param seed of the sampler
 * @param stop texts; the first to appear ends the answer and is not part of it; none may be empty
 */
public record GenerationOptions(
        int maxNewTokens,
        double temperature,
        double topP,
        int topK,
        double repetitionPenalty,
        long seed,
        List<String> stop) {

    /** @throws ConfigException if an option is out of range */
    public GenerationOptions {
        require(maxNewTokens >= 1, "max-new-tokens must be 1 or more, not " + maxNewTokens);
        require(
                temperature >= 0 && Double.isFinite(temperature),
                "temperature must be a finite number of 0 or more, not " + temperature);
        require(topP > 0 && topP <= 1, "top-p must be above 0 and at most 1, not " + topP);
        require(topK >= 0, "top-k must be 0 or more, not " + topK);
        require(
                repetitionPenalty > 0 && Double.isFinite(repetitionPenalty),
                "repetition-penalty must be a finite number above 0, not " + repetitionPenalty);
        require(!stop.contains(""), "stop must not be an empty text");
        stop = List.copyOf(stop);
    }

    /** Without stop texts: only the model's own end token ends an answer. */
    public GenerationOptions(
            int maxNewTokens, double temperature, double topP, int topK, double repetitionPenalty, long seed) {
        this(maxNewTokens, temperature, topP, topK, repetitionPenalty, seed, List.of());
    }

    /** The same options with another seed. */
    public GenerationOptions withSeed(long other) {
        return new GenerationOptions(maxNewTokens, temperature, topP, topK, repetitionPenalty, other, stop);
    }

    /** Greedy decoding, as every benchmark of LLaVA-1.5 uses it. */
    public static GenerationOptions greedy(int maxNewTokens) {
        return new GenerationOptions(maxNewTokens, 0, 1, 0, 1, 0);
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new ConfigException(message);
        }
    }
}
