package io.llava4j.train.recipe;

import java.util.Map;

/**
 * Values in which the stages differ when a recipe does not say otherwise: the paper's
 * (docs/reference/training.md#stages: table 9 of the paper, divided by its 8 devices).
 */
final class StageDefaults {
    private StageDefaults() {}

    /**
     * Sections of a recipe.
     *
     * @param lora whether adapters are trained in the language model's place, at LLaVA's rates for them
     *     (docs/reference/training.md#recipes)
     */
    static Map<String, Object> of(Stage stage, boolean lora) {
        return switch (stage) {
            case PRETRAIN ->
                Map.of(
                        "data", Map.of("image-aspect-ratio", "square", "template", "plain", "group-by-modality", false),
                        "trainable", Map.of("projector", true, "language-model", false, "vision-tower", false),
                        "optimizer", Map.of("learning-rate", 1e-3),
                        "batch", Map.of("per-device", 32));
            case FINETUNE ->
                Map.of(
                        "data", Map.of("image-aspect-ratio", "pad", "template", "v1", "group-by-modality", true),
                        "trainable", Map.of("projector", true, "language-model", !lora, "vision-tower", false),
                        "optimizer",
                                lora
                                        ? Map.of("learning-rate", 2e-4, "projector-learning-rate", 2e-5)
                                        : Map.of("learning-rate", 2e-5),
                        "batch", Map.of("per-device", 16));
        };
    }
}
