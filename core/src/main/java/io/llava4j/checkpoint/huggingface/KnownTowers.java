package io.llava4j.checkpoint.huggingface;

import io.llava4j.model.config.VisionConfig;
import java.util.List;
import java.util.Optional;

/** Names that {@code mm_vision_tower} may have besides a folder. */
public final class KnownTowers {
    static final String CLIP_VIT_L_336 = "openai/clip-vit-large-patch14-336";
    static final String CLIP_VIT_L_224 = "openai/clip-vit-large-patch14";

    /** Written by llava4j for a tower that has no public name; its shape is in {@code vision_config}. */
    static final String EMBEDDED = "embedded";

    private KnownTowers() {}

    /** The shape of a tower by its hub id, for checkpoints that embed the tensors of the tower but not its configuration. */
    public static Optional<VisionConfig> shape(String hubId) {
        return switch (hubId) {
            case CLIP_VIT_L_336 -> Optional.of(VisionConfig.CLIP_VIT_L_336);
            case CLIP_VIT_L_224 ->
                Optional.of(new VisionConfig(1024, 4096, 24, 16, 224, 14, 1e-5, "quick_gelu", List.of()));
            default -> Optional.empty();
        };
    }
}
