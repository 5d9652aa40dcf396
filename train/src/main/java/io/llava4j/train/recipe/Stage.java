package io.llava4j.train.recipe;

import io.llava4j.train.config.Alias;

/** The two stages of LLaVA-1.5 (paper, section 3.1; docs/reference/training.md#stages). */
public enum Stage {
    /** Stage 1, feature alignment: the projector is trained on image-caption pairs. */
    @Alias("align")
    PRETRAIN,
    /** Stage 2, visual instruction tuning: projector and language model are trained on conversations. */
    @Alias("tune")
    FINETUNE
}
