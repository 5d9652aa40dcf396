package io.llava4j.checkpoint.huggingface;

import io.llava4j.checkpoint.layout.CheckpointLayout;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.format.DType;
import io.llava4j.text.ConversationTemplate;
import java.util.List;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes config.json: a whole model in the liuhaotian family with all sizes and with the shape of the embedded tower in
 * {@code vision_config}; a tower as CLIP; a language model as LLaMA. {@link ModelConfigs} reads each back unchanged.
 */
public final class ModelConfigWriter {
    /** llava4j's own key: channels of a convolutional patch embedding's stages. */
    static final String STEM_CHANNELS = "patch_embedding_stem_channels";

    /** Name of the conversation template, where it is not LLaVA-1.5's. */
    static final String CONVERSATION_TEMPLATE = "conversation_template";

    private ModelConfigWriter() {}

    /** The config.json of a model; {@code dtype} is the type of most weights. */
    public static ObjectNode write(ModelKind kind, DType dtype) {
        ObjectNode root = StrictJson.MAPPER.createObjectNode();
        switch (kind) {
            case ModelKind.Llava model -> {
                start(root, "LlavaLlamaForCausalLM", "llava_llama", dtype);
                llava(root, model.config());
            }
            case ModelKind.Clip clip -> {
                start(root, "CLIPModel", "clip", dtype);
                vision(root.putObject("vision_config"), clip.vision());
            }
            case ModelKind.Llama llama -> {
                start(root, "LlamaForCausalLM", "llama", dtype);
                text(root, llama.text());
            }
            case ModelKind.Projector projector ->
                throw new IllegalArgumentException("no config.json for a projector alone: " + projector);
        }
        return root;
    }

    /**
     * A whole model in the llava-hf family, with all sizes.
     *
     * @param config with an image token
     * @param dtype most weights are of
     */
    public static ObjectNode huggingFace(LlavaConfig config, DType dtype) {
        ObjectNode root = StrictJson.MAPPER.createObjectNode();
        if (config.hasRowEnd()) {
            start(root, "LlavaNextForConditionalGeneration", "llava_next", dtype);
            GridPinpoints.write(root, config.tiling().canvases());
            root.put("use_image_newline_parameter", true);
        } else {
            start(root, "LlavaForConditionalGeneration", "llava", dtype);
        }
        root.put("ignore_index", -100);
        root.put("image_token_index", config.imageTokenId());
        root.put("image_seq_length", config.tokensPerView());
        root.put("projector_hidden_act", "gelu");
        root.put("multimodal_projector_bias", true);
        root.put("vision_feature_layer", config.selectLayer());
        root.put("vision_feature_select_strategy", config.keepCls() ? "full" : "default");
        root.put("tie_word_embeddings", config.text().tieWordEmbeddings());
        root.put("pad_token_id", config.text().padTokenId());
        root.put("image_aspect_ratio", aspectRatio(config.aspectMode()));
        if (config.maxSequenceLength() > 0) {
            root.put("tokenizer_model_max_length", config.maxSequenceLength());
        }
        if (!config.conversationTemplate().equals(ConversationTemplate.V1)) {
            root.put(CONVERSATION_TEMPLATE, config.conversationTemplate().name());
        }
        ObjectNode text = root.putObject("text_config");
        start(text, "LlamaForCausalLM", "llama", dtype);
        text(text, config.text());
        vision(root.putObject("vision_config"), config.vision());
        return root;
    }

    private static String aspectRatio(AspectMode mode) {
        return switch (mode) {
            case PAD -> "pad";
            case CROP -> "square";
            case ANYRES -> "anyres";
        };
    }

    private static void start(ObjectNode root, String architecture, String type, DType dtype) {
        root.putArray("architectures").add(architecture);
        root.put("model_type", type);
        root.put(
                "torch_dtype",
                switch (dtype) {
                    case F64 -> "float64";
                    case F16 -> "float16";
                    case BF16 -> "bfloat16";
                    default -> "float32";
                });
    }

    private static void llava(ObjectNode root, LlavaConfig config) {
        text(root, config.text());
        VisionConfig tower = config.vision();
        root.put(
                "mm_vision_tower",
                tower.equals(VisionConfig.CLIP_VIT_L_336) ? KnownTowers.CLIP_VIT_L_336 : KnownTowers.EMBEDDED);
        root.put("mm_vision_select_layer", config.selectLayer());
        root.put("mm_vision_select_feature", config.keepCls() ? "cls_patch" : "patch");
        root.put("mm_hidden_size", tower.hiddenSize());
        ProjectorKeys.write(root, config.projectorType());
        root.put("mm_use_im_start_end", false);
        root.put("mm_use_im_patch_token", false);
        root.put("mm_patch_merge_type", config.tiling().merge().configName());
        if (!config.tiling().isNone()) {
            GridPinpoints.write(root, config.tiling().canvases());
        }
        root.put("use_mm_proj", true);
        root.put("image_aspect_ratio", aspectRatio(config.aspectMode()));
        root.put("tokenizer_padding_side", "right");
        if (config.maxSequenceLength() > 0) {
            root.put("tokenizer_model_max_length", config.maxSequenceLength());
        }
        if (!config.conversationTemplate().equals(ConversationTemplate.V1)) {
            root.put(CONVERSATION_TEMPLATE, config.conversationTemplate().name());
        }
        if (config.imageTokenId() >= 0) {
            root.put("image_token_index", config.imageTokenId());
        }
        vision(root.putObject("vision_config"), tower);
    }

    private static void text(ObjectNode node, TextConfig text) {
        node.put("hidden_size", text.hiddenSize());
        node.put("intermediate_size", text.intermediateSize());
        node.put("num_hidden_layers", text.layers());
        node.put("num_attention_heads", text.heads());
        node.put("num_key_value_heads", text.kvHeads());
        node.put("vocab_size", text.vocabSize());
        node.put("max_position_embeddings", text.maxPositionEmbeddings());
        node.put("rms_norm_eps", text.rmsNormEps());
        node.put("rope_theta", text.ropeTheta());
        if (text.ropeFactor() == 1) {
            node.putNull("rope_scaling");
        } else {
            node.putObject("rope_scaling")
                    .put("type", "linear")
                    .put("rope_type", "linear")
                    .put("factor", text.ropeFactor());
        }
        node.put("hidden_act", "silu");
        node.put("tie_word_embeddings", text.tieWordEmbeddings());
        tokenIds(node, text);
    }

    /** generation_config.json. */
    public static ObjectNode generation(TextConfig text) {
        ObjectNode root = StrictJson.MAPPER.createObjectNode();
        tokenIds(root, text);
        if (!text.moreEosTokenIds().isEmpty()) {
            ArrayNode ids = root.putArray("eos_token_id");
            text.eosTokenIds().forEach(ids::add);
        }
        return root;
    }

    /** preprocessor_config.json: CLIP's own steps at the tower's size (docs/reference/preprocessing.md#processor-constants). */
    public static ObjectNode preprocessor(VisionConfig vision) {
        ObjectNode root = StrictJson.MAPPER.createObjectNode();
        root.put("image_processor_type", "CLIPImageProcessor");
        root.put("do_convert_rgb", true);
        root.put("do_resize", true);
        root.putObject("size").put("shortest_edge", vision.imageSize());
        root.put("resample", 3);
        root.put("do_center_crop", true);
        root.putObject("crop_size").put("height", vision.imageSize()).put("width", vision.imageSize());
        root.put("do_rescale", true);
        root.put("rescale_factor", vision.scaling().rescaleFactor());
        root.put("do_normalize", vision.scaling().normalises());
        ArrayNode mean = root.putArray("image_mean");
        vision.scaling().mean().forEach(mean::add);
        ArrayNode std = root.putArray("image_std");
        vision.scaling().std().forEach(std::add);
        return root;
    }

    /**
     * preprocessor_config.json of a llava-hf model.
     *
     * @param layout older transformers have no processor that pads; they read this one and crop
     */
    public static ObjectNode preprocessor(LlavaConfig config, CheckpointLayout layout) {
        ObjectNode root = preprocessor(config.vision());
        if (config.aspectMode() == AspectMode.PAD) {
            root.put("do_pad", true);
            if (layout == CheckpointLayout.HF_NEW) {
                root.put("image_processor_type", "LlavaImageProcessor");
            }
        }
        if (config.hasRowEnd()) {
            root.put("image_processor_type", "LlavaNextImageProcessor");
            GridPinpoints.write(root, config.tiling().canvases());
            root.put("do_pad", true);
        }
        root.put("processor_class", processorClass(config));
        return root;
    }

    private static String processorClass(LlavaConfig config) {
        return config.hasRowEnd() ? "LlavaNextProcessor" : "LlavaProcessor";
    }

    /** processor_config.json of a llava-hf model. */
    public static ObjectNode processor(LlavaConfig config) {
        ObjectNode root = StrictJson.MAPPER.createObjectNode();
        root.put("processor_class", processorClass(config));
        root.put("image_token", TokenizerFiles.IMAGE);
        root.put("num_additional_image_tokens", 1);
        root.put("patch_size", config.vision().patchSize());
        root.put("vision_feature_select_strategy", config.keepCls() ? "full" : "default");
        return root;
    }

    private static void tokenIds(ObjectNode node, TextConfig text) {
        node.put("bos_token_id", text.bosTokenId());
        node.put("eos_token_id", text.eosTokenId());
        node.put("pad_token_id", text.padTokenId());
    }

    private static void vision(ObjectNode node, VisionConfig vision) {
        node.put("model_type", "clip_vision_model");
        node.put("hidden_size", vision.hiddenSize());
        node.put("intermediate_size", vision.intermediateSize());
        node.put("num_hidden_layers", vision.layers());
        node.put("num_attention_heads", vision.heads());
        node.put("num_channels", 3);
        node.put("image_size", vision.imageSize());
        node.put("patch_size", vision.patchSize());
        node.put("hidden_act", vision.hiddenAct());
        node.put("layer_norm_eps", vision.layerNormEps());
        List<Integer> stem = vision.stemChannels();
        if (!stem.isEmpty()) {
            ArrayNode channels = node.putArray(STEM_CHANNELS);
            stem.forEach(channels::add);
        }
    }
}
