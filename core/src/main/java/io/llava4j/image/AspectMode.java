package io.llava4j.image;

/** How an image becomes square, or squares (docs/reference/preprocessing.md#aspect-ratio). */
public enum AspectMode {
    /** CLIP's preprocessing, used in pretraining: resizes the shorter edge to the target size, then crops the centre. */
    CROP,
    /** LLaVA-1.5's finetuning and inference: pads to a square with CLIP's mean colour first; crops nothing. */
    PAD,
    /**
     * LLaVA-NeXT's: stretches the whole image to a square, without padding, and adds tiles of it
     * (docs/reference/preprocessing.md#anyres).
     */
    ANYRES
}
