package io.llava4j.train.recipe;

/** What a run trains. LLaVA-1.5 itself has two stages; the other two make the parts the nano family starts from. */
public enum Stage {
    /** Stage 1, feature alignment: image-caption pairs, the projector learns (paper, section 3.1; docs/reference/training.md#stages). */
    ALIGN,
    /** Stage 2, visual instruction tuning: projector and language model learn. */
    TUNE,
    /** Contrastive pre-training of a vision tower on image-caption pairs, as CLIP does it. */
    TOWER,
    /** Pre-training of a language model on text. */
    LANGUAGE
}
