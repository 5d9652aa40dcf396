package io.llava4j.checkpoint.layout;

import io.llava4j.model.config.ClipParameters;
import io.llava4j.model.config.LlamaParameters;
import io.llava4j.model.config.ProjectorType;

/**
 * The names that all layouts are translated to: those by which the network reads its tensors, which are those of the
 * liuhaotian checkpoints with the vision tower embedded (docs/reference/model.md#llava-layout).
 */
public final class CanonicalNames {
    /** Prefix of the vision tower. */
    public static final String TOWER = ClipParameters.PREFIX;

    /** Prefix of the projector; the linear layer's index in the sequence (0, 2, …) follows it. */
    public static final String PROJECTOR = ProjectorType.PREFIX;

    /** Prefix of the language model's blocks; the block's index follows it. */
    public static final String LAYERS = LlamaParameters.LAYERS;

    /** The token embedding table. */
    public static final String EMBED_TOKENS = LlamaParameters.EMBED_TOKENS;

    /** The last RMSNorm of the language model. */
    public static final String NORM = LlamaParameters.NORM + "weight";

    /** The LM head; absent where it is tied to the embedding table. */
    public static final String LM_HEAD = LlamaParameters.LM_HEAD + "weight";

    /** Prefix of the patch embedding. */
    public static final String PATCH_EMBEDDING = ClipParameters.PATCH_EMBEDDING;

    /** The row-end token of models that tile images. */
    public static final String ROW_END = ProjectorType.ROW_END;

    private CanonicalNames() {}

    /** Whether a tensor belongs to the vision tower or the projector, the row-end token included. */
    public static boolean isOfImages(String name) {
        return name.startsWith(TOWER) || name.startsWith(PROJECTOR) || name.equals(ROW_END);
    }
}
