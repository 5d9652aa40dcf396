package io.llava4j.checkpoint.layout;

/**
 * The names all layouts are translated to: those of the liuhaotian checkpoints with the tower embedded (docs/reference/model.md#llava-layout).
 */
public final class CanonicalNames {
    /** Begins every tensor of the vision tower; what follows is CLIP's own name behind {@code vision_model.}. */
    public static final String TOWER = "model.vision_tower.vision_tower.vision_model.";

    /** Begins every tensor of the projector; followed by the linear's index in the sequence (0, 2, …). */
    public static final String PROJECTOR = "model.mm_projector.";

    /** Begins every tensor of a decoder block; followed by the block's index. */
    public static final String LAYERS = "model.layers.";

    /** The token embedding table. */
    public static final String EMBED_TOKENS = "model.embed_tokens.weight";

    /** The decoder's last RMSNorm. */
    public static final String NORM = "model.norm.weight";

    /** The LM head; absent where it is tied to the embedding table. */
    public static final String LM_HEAD = "lm_head.weight";

    /** Begins every tensor of the patch embedding; a convolutional stem keeps its stages here. */
    public static final String PATCH_EMBEDDING = TOWER + "embeddings.patch_embedding.";

    private CanonicalNames() {}
}
