package io.llava4j.model.config;

import io.llava4j.image.AspectMode;
import io.llava4j.text.Prompt;

/**
 * Everything that fixes a LLaVA network's shape and behaviour, whichever file family it came from (docs/reference/model.md#checkpoint-layouts).
 *
 * @param vision the tower
 * @param text the decoder
 * @param projectorType {@code linear}, {@code mlpNx_gelu} or {@code identity}
 * @param selectLayer index into the tower's hidden states, negative from the end; -2 in LLaVA-1.5
 * @param keepCls whether the CLS row stays ({@code cls_patch} / {@code full}); false in LLaVA-1.5
 * @param aspectMode how images are made square
 * @param imageTokenId id of the {@code <image>} token in llava-hf checkpoints; -1 where there is none
 * @param maxSequenceLength spliced sequences are cut to this many tokens ({@code tokenizer_model_max_length}); 0 where
 *     the checkpoint names no limit
 */
public record LlavaConfig(
        VisionConfig vision,
        TextConfig text,
        String projectorType,
        int selectLayer,
        boolean keepCls,
        AspectMode aspectMode,
        int imageTokenId,
        int maxSequenceLength) {

    /** LLaVA-1.5-7B. */
    public static final LlavaConfig LLAVA_1_5_7B = new LlavaConfig(
            VisionConfig.CLIP_VIT_L_336, TextConfig.VICUNA_7B, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0);

    /** Rows an image takes in the sequence. */
    public int tokensPerImage() {
        return vision.patches() + (keepCls ? 1 : 0);
    }

    /** Tokens of a prompt once every image placeholder is replaced by the image's rows, before any cut. */
    public int splicedLength(int[] ids) {
        int length = 0;
        for (int id : ids) {
            length += id == Prompt.IMAGE_TOKEN_INDEX ? tokensPerImage() : 1;
        }
        return length;
    }
}
