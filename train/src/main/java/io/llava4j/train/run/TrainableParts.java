package io.llava4j.train.run;

import io.llava4j.checkpoint.layout.CanonicalNames;
import io.llava4j.model.config.LoraConfig;

/**
 * Which parts of a LLaVA model are trained; the others are frozen.
 *
 * @param projector the projector
 * @param languageModel the whole language model with embeddings and LM head
 * @param visionTower the vision tower; frozen in both stages of LLaVA-1.5
 */
public record TrainableParts(boolean projector, boolean languageModel, boolean visionTower) {
    /** Whether any part is trained. */
    public boolean any() {
        return projector || languageModel || visionTower;
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
