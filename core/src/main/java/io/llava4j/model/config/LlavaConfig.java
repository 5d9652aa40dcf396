package io.llava4j.model.config;

import io.llava4j.image.AspectMode;
import io.llava4j.text.ConversationTemplate;
import io.llava4j.text.Prompt;

/**
 * Shape and behaviour of a LLaVA network, the same for every checkpoint layout
 * (docs/reference/model.md#checkpoint-layouts).
 *
 * @param vision shape of the vision tower
 * @param text shape of the language model
 * @param projectorType {@code linear}, {@code mlpNx_gelu} or {@code identity}
 * @param selectLayer index into the tower's hidden states, negative from the end; -2 in LLaVA-1.5
 * @param keepCls whether CLS is the first of the image features ({@code cls_patch} / {@code full}); false in LLaVA-1.5
 * @param aspectMode how images are made square
 * @param imageTokenId id of the {@code <image>} token in llava-hf checkpoints; -1 where there is none
 * @param maxSequenceLength spliced sequences are truncated to this many tokens ({@code tokenizer_model_max_length}); 0
 *     where the checkpoint names no limit
 * @param conversationTemplate how a conversation is written out for the model; {@code v1} in LLaVA-1.5
 */
public record LlavaConfig(
        VisionConfig vision,
        TextConfig text,
        String projectorType,
        int selectLayer,
        boolean keepCls,
        AspectMode aspectMode,
        int imageTokenId,
        int maxSequenceLength,
        ConversationTemplate conversationTemplate) {

    /** LLaVA-1.5-7B. */
    public static final LlavaConfig LLAVA_1_5_7B = new LlavaConfig(
            VisionConfig.CLIP_VIT_L_336, TextConfig.VICUNA_7B, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0);

    /** A model with LLaVA-1.5's own conversation template. */
    public LlavaConfig(
            VisionConfig vision,
            TextConfig text,
            String projectorType,
            int selectLayer,
            boolean keepCls,
            AspectMode aspectMode,
            int imageTokenId,
            int maxSequenceLength) {
        this(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                ConversationTemplate.V1);
    }

    /** The same model with another language model. */
    public LlavaConfig withText(TextConfig text) {
        return new LlavaConfig(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                conversationTemplate);
    }

    /** The same model with images made square in another way. */
    public LlavaConfig withAspectMode(AspectMode aspectMode) {
        return new LlavaConfig(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                conversationTemplate);
    }

    /** The same model with another image token; -1 for none. */
    public LlavaConfig withImageTokenId(int imageTokenId) {
        return new LlavaConfig(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                conversationTemplate);
    }

    /** The same model with another limit of its sequences; 0 for none. */
    public LlavaConfig withMaxSequenceLength(int limit) {
        return new LlavaConfig(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                limit,
                conversationTemplate);
    }

    /** The same model with another conversation template. */
    public LlavaConfig withConversationTemplate(ConversationTemplate template) {
        return new LlavaConfig(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                template);
    }

    /** Image tokens of one image, which every image has in today's models. */
    public int tokensPerImage() {
        return vision.patches() + (keepCls ? 1 : 0);
    }

    /** Tokens of a prompt once every placeholder is replaced by the tokens of its image, before any truncation. */
    public int splicedLength(int[] ids) {
        int length = 0;
        for (int id : ids) {
            length += id == Prompt.IMAGE_TOKEN_INDEX ? tokensPerImage() : 1;
        }
        return length;
    }
}
