package io.llava4j.train.run;

import io.llava4j.model.Initializer;
import io.llava4j.model.config.LoraConfig;
import io.llava4j.tensor.Weights;
import java.util.List;

/** Low-rank adapters beside the linear layers of the language model's blocks (docs/reference/training.md#lora). */
public final class LoraAdapters {
    private LoraAdapters() {}

    /**
     * Adds new adapters to a model's weights; they change nothing until they are trained.
     *
     * @param weights by canonical name; receives two tensors per adapted layer
     * @param lora their rank
     * @param initializer of their numbers
     */
    public static void addTo(Weights weights, LoraConfig lora, Initializer initializer) {
        for (String name : List.copyOf(weights.names())) {
            if (LoraConfig.adapts(name)) {
                String layer = name.substring(0, name.length() - "weight".length());
                long outputs = weights.get(name).size(0);
                long inputs = weights.get(name).size(1);
                initializer.fill(weights, layer + LoraConfig.DOWN, lora.rank(), inputs);
                initializer.fill(weights, layer + LoraConfig.UP, outputs, lora.rank());
            }
        }
    }
}
