package io.llava4j.model.config;

import io.llava4j.ConfigException;
import io.llava4j.image.AspectMode;
import io.llava4j.image.ImagePreparation;
import io.llava4j.image.tile.PreparedImage;
import io.llava4j.image.tile.TileGrid;
import io.llava4j.image.tile.Tiling;
import io.llava4j.model.prune.VisionZip;
import io.llava4j.text.ConversationTemplate;
import java.util.List;
import java.util.stream.Stream;

/**
 * Shape and behaviour of a LLaVA network, the same for every checkpoint layout
 * (docs/reference/model.md#checkpoint-layouts).
 *
 * @param vision shape of the vision tower
 * @param text shape of the language model
 * @param projectorType a name that {@link ProjectorType} knows
 * @param selectLayer index into the tower's hidden states, negative from the end; -2 in LLaVA-1.5
 * @param keepCls whether CLS is the first of the image features ({@code cls_patch} / {@code full}); false in LLaVA-1.5
 * @param aspectMode how images are made square
 * @param imageTokenId id of the {@code <image>} token in llava-hf checkpoints; -1 where there is none
 * @param maxSequenceLength spliced sequences are truncated to this many tokens ({@code tokenizer_model_max_length}); 0
 *     where the checkpoint names no limit
 * @param conversationTemplate how a conversation is written out for the model; {@code v1} in LLaVA-1.5
 * @param tiling how images are tiled in {@link AspectMode#ANYRES}; {@link Tiling#NONE} in LLaVA-1.5
 * @param visionTokens image features that VisionZip leaves of an image; 0 for all, as every file means it
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
        ConversationTemplate conversationTemplate,
        Tiling tiling,
        int visionTokens) {

    /** @throws ConfigException if the projector cannot read the features of the tower, or VisionZip cannot leave so many */
    public LlavaConfig {
        if (visionTokens != 0) {
            requirePrunable(vision, projectorType, selectLayer, aspectMode, tiling, visionTokens);
        }
        ProjectorType.find(projectorType).ifPresent(type -> {
            type.misfit(vision.grid(), keepCls).ifPresent(problem -> {
                throw new ConfigException(problem);
            });
            if (type.reduces() && (aspectMode == AspectMode.ANYRES || !tiling.isNone())) {
                throw new ConfigException(
                        "projector type %s joins patches, which llava4j does not do with images in tiles; use mlp2x_gelu"
                                .formatted(projectorType));
            }
        });
    }

    /** LLaVA-1.5-7B. */
    public static final LlavaConfig LLAVA_1_5_7B = new LlavaConfig(
            VisionConfig.CLIP_VIT_L_336, TextConfig.VICUNA_7B, "mlp2x_gelu", -2, false, AspectMode.PAD, -1, 0);

    private static void requirePrunable(
            VisionConfig vision, String projectorType, int selectLayer, AspectMode aspect, Tiling tiling, int tokens) {
        boolean joins =
                ProjectorType.find(projectorType).filter(ProjectorType::reduces).isPresent();
        String problem = joins
                ? "the projector " + projectorType + " joins squares of patches and needs all of them"
                : aspect == AspectMode.ANYRES || !tiling.isNone()
                        ? "the model puts the tiles of an image together as one map and needs all of it"
                        : vision.blocksBefore(selectLayer) == 0 ? "no block runs before the selected hidden state" : "";
        if (!problem.isEmpty()) {
            throw new ConfigException(
                    "vision tokens cannot be pruned: %s; leave out --vision-tokens".formatted(problem));
        }
        if (tokens < VisionZip.MIN_TOKENS || tokens > vision.patches()) {
            throw new ConfigException(
                    "--vision-tokens is %d; write a number from %d to %d, the model's patches of an image"
                            .formatted(tokens, VisionZip.MIN_TOKENS, vision.patches()));
        }
    }

    /** A model that reads all image features. */
    public LlavaConfig(
            VisionConfig vision,
            TextConfig text,
            String projectorType,
            int selectLayer,
            boolean keepCls,
            AspectMode aspectMode,
            int imageTokenId,
            int maxSequenceLength,
            ConversationTemplate conversationTemplate,
            Tiling tiling) {
        this(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                conversationTemplate,
                tiling,
                0);
    }

    /** A model that reads every image as one square. */
    public LlavaConfig(
            VisionConfig vision,
            TextConfig text,
            String projectorType,
            int selectLayer,
            boolean keepCls,
            AspectMode aspectMode,
            int imageTokenId,
            int maxSequenceLength,
            ConversationTemplate conversationTemplate) {
        this(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                conversationTemplate,
                Tiling.NONE,
                0);
    }

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
                conversationTemplate,
                tiling,
                visionTokens);
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
                conversationTemplate,
                tiling,
                visionTokens);
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
                conversationTemplate,
                tiling,
                visionTokens);
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
                conversationTemplate,
                tiling,
                visionTokens);
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
                template,
                tiling,
                visionTokens);
    }

    /** The same model that tiles images otherwise. */
    public LlavaConfig withTiling(Tiling tiling) {
        return new LlavaConfig(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                conversationTemplate,
                tiling,
                visionTokens);
    }

    /** The same model with so many image features of an image; 0 for all. */
    public LlavaConfig withVisionTokens(int visionTokens) {
        return new LlavaConfig(
                vision,
                text,
                projectorType,
                selectLayer,
                keepCls,
                aspectMode,
                imageTokenId,
                maxSequenceLength,
                conversationTemplate,
                tiling,
                visionTokens);
    }

    /** Whether the model has a row-end token. */
    public boolean hasRowEnd() {
        return tiling.hasRowEnd();
    }

    /** Prepares images as the model was trained on them. */
    public ImagePreparation imagePreparation() {
        return new ImagePreparation(vision.imageProcessor(aspectMode), tiling, vision.grid());
    }

    /** The hidden states that the features of a patch consist of. */
    public FeatureStates featureStates() {
        return FeatureStates.of(vision, selectLayer, ProjectorType.parse(projectorType));
    }

    /** Width of the features of a patch. */
    public int featureWidth() {
        return featureStates().states().size() * vision.hiddenSize();
    }

    /** What the vision tower gives for one view of an image. */
    public int featuresPerView() {
        return visionTokens > 0 ? visionTokens : vision.patches() + (keepCls ? 1 : 0);
    }

    /** Image tokens of one view of an image, which the projector makes of its features. */
    public int tokensPerView() {
        return ProjectorType.find(projectorType)
                .map(type -> featuresPerView() / type.patchesPerToken())
                .orElseGet(this::featuresPerView);
    }

    /** Most image tokens that an image has; where images are not tiled, all have as many. */
    public int tokensPerImage() {
        if (aspectMode != AspectMode.ANYRES) {
            return tokensPerView() + (hasRowEnd() ? 1 : 0);
        }
        return fullGrids()
                .mapToInt(grid -> grid.order(vision.grid(), tiling.merge()).tokens(tokensPerView()))
                .max()
                .orElseThrow();
    }

    /** Most squares that the vision tower reads of an image; 1 where images are not tiled. */
    public int viewsPerImage() {
        return aspectMode == AspectMode.ANYRES
                ? 1 + fullGrids().mapToInt(TileGrid::tiles).max().orElseThrow()
                : 1;
    }

    /** Of images that fill a canvas. */
    private Stream<TileGrid> fullGrids() {
        return tiling.canvases().stream().map(canvas -> new TileGrid(canvas, canvas, vision.imageSize()));
    }

    /** Minimum of image tokens of an image: those of the view of the whole image. */
    public int minTokensPerImage() {
        return aspectMode == AspectMode.ANYRES ? tokensPerView() : tokensPerImage();
    }

    /** Tokens of a prompt once every placeholder is replaced by the tokens of its image, before any truncation. */
    public int splicedLength(int[] ids, List<PreparedImage> images) {
        return ids.length
                + images.stream()
                        .mapToInt(image -> image.order().tokens(tokensPerView()) - 1)
                        .sum();
    }
}
