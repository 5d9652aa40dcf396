package io.llava4j.train.run;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.model.Initializer;
import io.llava4j.model.LowRank;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.BlockLinear;
import io.llava4j.tensor.Engine;
import io.llava4j.tensor.Weights;
import java.util.List;
import org.bytedeco.pytorch.Tensor;

/** Low-rank adapters beside linear layers of the language model's blocks (docs/reference/training.md#lora). */
public final class LoraAdapters {
    private LoraAdapters() {}

    /**
     * Adds new adapters to a model's weights; they change nothing until they are trained.
     *
     * @param weights by canonical name; receives two tensors per adapted layer, with DoRA three
     * @param lora what is adapted, and by which rank
     * @param initializer of their numbers
     * @throws ConfigException if a name of the target modules or the modules to save stands for nothing in the model
     */
    public static void addTo(Weights weights, LoraConfig lora, Initializer initializer) {
        List<String> names = List.copyOf(weights.names());
        requireTargets(names, lora);
        requireSaved(names, lora);
        for (String name : names) {
            if (lora.adapts(name)) {
                Tensor weight = weights.get(name);
                String layer = name.substring(0, name.length() - "weight".length());
                initializer.fill(weights, layer + LoraConfig.DOWN, lora.rank(), BlockLinear.columns(weight));
                initializer.fill(weights, layer + LoraConfig.UP, weight.size(0), lora.rank());
                if (lora.dora()) {
                    Engine.scope("the row lengths of " + name, () -> {
                        weights.put(layer + LoraConfig.MAGNITUDE, LowRank.rowLengths(weights.read(name)));
                        return null;
                    });
                }
            }
        }
    }

    private static void requireTargets(List<String> names, LoraConfig lora) {
        for (String target : lora.targetModules()) {
            if (names.stream().noneMatch(name -> LoraConfig.isTarget(target, name))) {
                throw new ConfigException(
                        ("lora.target-modules: '%s' ends the name of no linear layer of the language model's blocks; these are"
                                        + " q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj and down_proj, and all-linear"
                                        + " stands for all of them")
                                .formatted(target));
            }
        }
    }

    private static void requireSaved(List<String> names, LoraConfig lora) {
        for (String module : lora.modulesToSave()) {
            List<String> saved =
                    names.stream().filter(name -> LoraConfig.isIn(module, name)).toList();
            String problem = null;
            if (saved.isEmpty()) {
                problem = "is no part of the language model; name for example embed_tokens, lm_head or norm";
            } else if (saved.stream().anyMatch(name -> name.startsWith(CanonicalNames.PROJECTOR))) {
                problem = "names the projector; set trainable.projector instead";
            } else if (saved.stream().anyMatch(name -> name.startsWith(CanonicalNames.TOWER))) {
                problem = "names the vision tower; set trainable.vision-tower instead";
            } else if (saved.stream().anyMatch(lora::adapts)) {
                problem = "has layers that lora.target-modules adapts; name it in one of the two";
            }
            if (problem != null) {
                throw new ConfigException("lora.modules-to-save: '%s' %s".formatted(module, problem));
            }
        }
    }
}
