package io.llava4j.train.run;

import io.llava4j.model.config.LoraConfig;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import java.util.List;

/**
 * Low-rank adapters of linear layers of the language model's blocks, with LLaVA's values
 * (docs/reference/training.md#lora). The keys are PEFT's.
 *
 * @param r rank of the adapters
 * @param alpha scale of an adapter's output times the rank; the output counts {@code alpha / r} times
 * @param dropout share of the adapters' inputs that training drops
 * @param targetModules adapted layers by the ends of their names, such as {@code q_proj} or
 *     {@code layers.0.mlp.up_proj}; {@code all-linear} for every linear layer of the language model's blocks
 * @param useRslora whether the output counts {@code alpha / sqrt(r)} times (rsLoRA)
 * @param useDora whether the length of every row of an adapted weight is trained too (DoRA)
 * @param modulesToSave parts of the language model that are trained in full beside the adapters, such as
 *     {@code embed_tokens} or {@code lm_head}
 */
public record LoraSettings(
        @Default("128") int r,
        @Default("256") double alpha,
        @Default("0.05") double dropout,
        @Default("[all-linear]") List<String> targetModules,
        @Default("false") boolean useRslora,
        @Default("false") boolean useDora,
        @Default("[]") List<String> modulesToSave) {
    public LoraSettings {
        Require.positive("r", r);
        Require.positive("alpha", alpha);
        Require.fraction("dropout", dropout);
        Require.that(
                !targetModules.isEmpty(),
                "target-modules is empty; name layers such as q_proj, or remove the key for all linear layers");
        targetModules = List.copyOf(targetModules);
        modulesToSave = List.copyOf(modulesToSave);
    }

    /** The same in the network's terms. */
    public LoraConfig toConfig() {
        return new LoraConfig(r, alpha, dropout, useRslora, useDora, targetModules, modulesToSave);
    }
}
