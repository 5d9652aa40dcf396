package io.llava4j.image;

/** How an image becomes square (docs/reference/preprocessing.md#aspect-ratio). */
public enum AspectMode {
    /** CLIP's preprocessing, used in pretraining: resizes the shorter edge to the target size, then crops the centre. */
    CROP,
    /** LLaVA-1.5's finetuning and inference: pads to a square with CLIP's mean colour first; crops nothing. */
    PAD
}
