package io.llava4j.image;

/** What happens to an image that is not square (docs/reference/preprocessing.md#aspect-ratio). */
public enum AspectMode {
    /** CLIP's own way, used in stage 1: the shorter edge to the target size, then the centre is cut out. */
    CROP,
    /** LLaVA-1.5's way from stage 2 on: padded to a square with CLIP's mean colour first; nothing is lost. */
    PAD
}
