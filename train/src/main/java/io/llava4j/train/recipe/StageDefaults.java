package io.llava4j.train.recipe;

import java.util.LinkedHashMap;
import java.util.Map;

/** Values in which the stages differ when a recipe does not say otherwise: the paper's for its two stages. */
final class StageDefaults {
    private StageDefaults() {}

    /**
     * A fresh tree in the shape of a recipe (docs/reference/training.md#stages: table 9 of the paper, divided by its 8 devices).
     *
     * @param lora whether adapters learn in the decoder's place, at LLaVA's rates for them (docs/reference/training.md#recipes)
     */
    static Map<String, Object> of(Stage stage, boolean lora) {
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("stage", stage.name());
        switch (stage) {
            case ALIGN -> fill(tree, "square", "plain", false, "projector", 1e-3, 32);
            case TUNE -> {
                fill(tree, "pad", "v1", true, "projector", 2e-5, 16);
                tree.put("trainable", Map.of("projector", true, "language-model", !lora, "vision-tower", false));
                if (lora) {
                    tree.put("optimizer", Map.of("learning-rate", 2e-4, "projector-learning-rate", 2e-5));
                }
            }
            case TOWER -> fill(tree, "square", "plain", false, "vision-tower", 1e-3, 128);
            case LANGUAGE -> fill(tree, "square", "plain", false, "language-model", 1e-3, 32);
        }
        return tree;
    }

    private static void fill(
            Map<String, Object> tree,
            String aspect,
            String template,
            boolean group,
            String part,
            double learningRate,
            int perDevice) {
        tree.put("data", Map.of("image-aspect-ratio", aspect, "template", template, "group-by-modality", group));
        tree.put(
                "trainable",
                Map.of(
                        "projector", part.equals("projector"),
                        "language-model", part.equals("language-model"),
                        "vision-tower", part.equals("vision-tower")));
        tree.put("optimizer", Map.of("learning-rate", learningRate));
        tree.put("batch", Map.of("per-device", perDevice));
    }
}
