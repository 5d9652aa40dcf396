package io.llava4j.checkpoint.layout;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;

/** What a checkpoint holds, with the configuration that fixes its shape. */
public sealed interface ModelKind {
    /** In words, such as "a LLaVA model". */
    String label();

    /**
     * A whole model: vision tower, projector and language model.
     *
     * @param config of the model
     */
    record Llava(LlavaConfig config) implements ModelKind {
        @Override
        public String label() {
            return "a LLaVA model";
        }
    }

    /**
     * A CLIP vision tower alone.
     *
     * @param vision shape of the tower
     */
    record Clip(VisionConfig vision) implements ModelKind {
        @Override
        public String label() {
            return "a CLIP vision tower";
        }
    }

    /**
     * A LLaMA language model alone.
     *
     * @param text shape of the language model
     */
    record Llama(TextConfig text) implements ModelKind {
        @Override
        public String label() {
            return "a LLaMA language model";
        }
    }

    /**
     * A projector alone, as pretraining writes it; its shape is read from the tensors.
     *
     * @param projectorType {@code linear} or {@code mlpNx_gelu}
     * @param visionHiddenSize width of the image features
     * @param textHiddenSize width of the language model
     */
    record Projector(String projectorType, int visionHiddenSize, int textHiddenSize) implements ModelKind {
        @Override
        public String label() {
            return "a projector";
        }
    }
}
