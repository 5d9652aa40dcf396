package io.llava4j.nano.pretrain;

/** The stages that make the parts the nano family starts from. */
public enum PretrainingStage {
    /** Contrastive pre-training of a vision tower on image-caption pairs, as CLIP does it. */
    TOWER,
    /** Pre-training of a language model on text. */
    LANGUAGE
}
