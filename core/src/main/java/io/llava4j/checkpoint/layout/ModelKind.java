package io.llava4j.checkpoint.layout;

import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;

/** What a checkpoint holds, with the configuration that fixes its shape. */
public sealed interface ModelKind {
    /** In words, such as "a LLaVA model". */
    String label();

    /**
     * A whole model: tower, projector and decoder.
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
     * @param vision of the tower
     */
    record Clip(VisionConfig vision) implements ModelKind {
        @Override
        public String label() {
            return "a CLIP vision tower";
        }
    }

    /**
     * A LLaMA decoder alone.
     *
     * @param text of the decoder
     */
    record Llama(TextConfig text) implements ModelKind {
        @Override
        public String label() {
            return "a LLaMA decoder";
        }
    }

    /**
     * A projector alone, as stage 1 writes it; its shape is read from the tensors.
     *
     * @param projectorType {@code linear} or {@code mlpNx_gelu}
     * @param visionHiddenSize width of the tower's features
     * @param textHiddenSize width of the decoder
     */
    record Projector(String projectorType, int visionHiddenSize, int textHiddenSize) implements ModelKind {
        @Override
        public String label() {
            return "a projector";
        }
    }
}
