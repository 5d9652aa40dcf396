package io.llava4j.train.run;

import io.llava4j.model.config.LoraConfig;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;

/**
 * Low-rank adapters of every linear layer of the language model's blocks, with LLaVA's values
 * (docs/reference/training.md#lora).
 *
 * @param r rank of the adapters
 * @param alpha scale of an adapter's output times the rank; the output counts {@code alpha / r} times
 * @param dropout share of the adapters' inputs that training drops
 */
public record LoraSettings(
        @Default("128") int r,
        @Default("256") double alpha,
        @Default("0.05") double dropout) {
    public LoraSettings {
        Require.positive("r", r);
        Require.positive("alpha", alpha);
        Require.fraction("dropout", dropout);
    }

    /** The same in the network's terms. */
    public LoraConfig toConfig() {
        return new LoraConfig(r, alpha, dropout);
    }
}
