package io.llava4j.train.run;

import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.train.config.Default;
import io.llava4j.train.config.Require;
import java.util.List;
import org.jspecify.annotations.Nullable;

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
 * @param bits of the language model's frozen linear layers: 16 for those of the run's precision, 8 or 4 for blocks of Q8_0 or
 *     Q4_0 (QLoRA), which are decoded where they are used
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
        @Default("16") int bits,
        @Default("[]") List<String> modulesToSave) {
    public LoraSettings {
        Require.positive("r", r);
        Require.positive("alpha", alpha);
        Require.fraction("dropout", dropout);
        Require.that(
                !targetModules.isEmpty(),
                "target-modules is empty; name layers such as q_proj, or remove the key for all linear layers");
        Require.that(
                bits == 16 || bits == 8 || bits == 4,
                "bits is %d; write 16 for weights that are not quantised, 8 or 4".formatted(bits));
        Require.that(
                bits == 16 || !useDora,
                "use-dora needs the lengths of the rows of all weights; set bits to 16 or use-dora to false");
        targetModules = List.copyOf(targetModules);
        modulesToSave = List.copyOf(modulesToSave);
    }

    /** Blocks of a frozen weight, by its canonical name; null where it is not quantised. */
    public @Nullable BlockFormat blocks(String weight) {
        if (bits == 16 || !LoraConfig.isTarget(LoraConfig.ALL_LINEAR, weight)) {
            return null;
        }
        return bits == 8 ? BlockFormat.Q8_0 : BlockFormat.Q4_0;
    }

    /** The same in the network's terms. */
    public LoraConfig toConfig() {
        return new LoraConfig(r, alpha, dropout, useRslora, useDora, targetModules, modulesToSave);
    }
}
