package io.llava4j.train.run;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.model.config.LoraConfig;
import org.jspecify.annotations.Nullable;

/**
 * Which parts of a LLaVA model are trained; the others are frozen.
 *
 * @param projector the projector
 * @param languageModel the whole language model with embeddings and LM head, and the row-end token of images in tiles
 * @param visionTower the vision tower; frozen in both stages of LLaVA-1.5
 */
public record TrainableParts(boolean projector, boolean languageModel, boolean visionTower) {
    /** Whether any part is trained. */
    public boolean any() {
        return projector || languageModel || visionTower;
    }

    /**
     * Whether the tensor of this canonical name is trained, if adapters may be trained beside these parts.
     *
     * @param lora what adapters are trained; null for none
     */
    public boolean includes(String tensor, @Nullable LoraConfig lora) {
        return includes(tensor) || lora != null && (lora.saves(tensor) || tensor.equals(CanonicalNames.ROW_END));
    }

    /** Whether the tensor of this canonical name is trained; adapters always are. */
    public boolean includes(String tensor) {
        if (LoraConfig.isAdapter(tensor)) {
            return true;
        }
        if (tensor.startsWith(CanonicalNames.PROJECTOR)) {
            return projector;
        }
        return tensor.startsWith(CanonicalNames.TOWER) ? visionTower : languageModel;
    }
}
