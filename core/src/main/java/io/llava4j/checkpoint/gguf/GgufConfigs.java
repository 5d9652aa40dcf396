package io.llava4j.checkpoint.gguf;

import io.llava4j.CheckpointException;
import io.llava4j.checkpoint.layout.GgufNames;
import io.llava4j.image.AspectMode;
import io.llava4j.image.PixelScaling;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.tensor.format.BlockFormat;
import io.llava4j.text.ConversationTemplate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.regex.Pattern;

/**
 * Configurations as GGUF metadata, under llama.cpp's keys; what has no key there is stored under {@code llava4j.}. Absent
 * keys get llama.cpp's defaults. A variant that llava4j does not implement is rejected.
 */
public final class GgufConfigs {
    static final String LLAMA = "llama";
    static final String CLIP = "clip";

    private static final String FEATURE_LAYER = "clip.vision.feature_layer";
    private static final String ASPECT = "clip.vision.image_aspect_ratio";
    private static final String IMAGE_TOKEN = "llava4j.image_token_id";
    private static final String MAX_SEQUENCE = "llava4j.max_sequence_length";
    private static final String CONVERSATION_TEMPLATE = "llava4j.conversation_template";
    private static final String MEAN = "clip.vision.image_mean";
    private static final String STD = "clip.vision.image_std";
    private static final String ONLY_PROJECTOR = "mlp2x_gelu";

    /** Keys that are read, and those that change nothing. */
    private static final Pattern TEXT_KEYS = Pattern.compile("llama\\.(context_length|embedding_length|block_count"
            + "|feed_forward_length|vocab_size|expert_count|expert_used_count|tensor_data_layout"
            + "|attention\\.(head_count|head_count_kv|layer_norm_rms_epsilon|key_length|value_length|causal)"
            + "|rope\\.(dimension_count|freq_base|scale_linear)"
            + "|rope\\.scaling\\.(type|factor|attn_factor|original_context_length|finetuned))");

    private static final Pattern VISION_KEYS = Pattern.compile("clip\\.(has_text_encoder|has_vision_encoder"
            + "|has_llava_projector|projector_type|use_gelu|use_silu|text\\..*"
            + "|vision\\.(image_size|patch_size|embedding_length|feed_forward_length|projection_dim|block_count"
            + "|attention\\.(head_count|layer_norm_epsilon)|image_mean|image_std|image_aspect_ratio|feature_layer"
            + "|mm_patch_merge_type|mm_projector_type|projector_type|num_channels|image_crop_resolution))");

    private GgufConfigs() {}

    /** Configuration of the language model. */
    static TextConfig text(Gguf file) {
        GgufMetadata keys = file.metadata();
        keys.requireNoOthers("llama.", TEXT_KEYS);
        keys.requireAbsentOr("llama.expert_count", 0L);
        keys.requireAbsentOr("llama.attention.causal", true);
        int heads = keys.size("llama.attention.head_count");
        int hidden = keys.size("llama.embedding_length");
        Gguf.Entry table = file.tensors().get(GgufNames.TOKEN_TABLE);
        if (table == null || table.shape().length != 2 || table.shape()[0] > Integer.MAX_VALUE) {
            throw new CheckpointException("%s: tensor '%s' is missing or no matrix; convert the model again"
                    .formatted(file.file(), GgufNames.TOKEN_TABLE));
        }
        TextConfig text = new TextConfig(
                hidden,
                keys.size("llama.feed_forward_length"),
                blocks(file, "llama.block_count"),
                heads,
                keys.size("llama.attention.head_count_kv", heads),
                (int) table.shape()[0],
                keys.size("llama.context_length"),
                keys.positive("llama.attention.layer_norm_rms_epsilon"),
                keys.positive("llama.rope.freq_base", 10000),
                !file.tensors().containsKey(GgufNames.HEAD),
                keys.integer(GgufTokenizer.BOS).orElse(1),
                keys.integer(GgufTokenizer.EOS).orElse(2),
                keys.integer(GgufTokenizer.PAD).orElse(0),
                GgufRope.factor(file),
                GgufTokenizer.moreEosTokenIds(keys));
        if (hidden % heads != 0 || text.headDim() % 2 != 0) {
            throw keys.bad("llama.attention.head_count", "an even head size that divides " + hidden);
        }
        if (heads % text.kvHeads() != 0) {
            throw keys.bad("llama.attention.head_count_kv", "a divisor of " + heads);
        }
        for (String key :
                List.of("llama.rope.dimension_count", "llama.attention.key_length", "llama.attention.value_length")) {
            if (keys.size(key, text.headDim()) != text.headDim()) {
                throw keys.bad(key, "the head size, " + text.headDim());
            }
        }
        return text;
    }

    /** Configuration of the whole model, from that of the language model and the mmproj file. */
    static LlavaConfig llava(TextConfig text, Gguf mmproj) {
        GgufMetadata keys = mmproj.metadata();
        keys.requireNoOthers("clip.", VISION_KEYS);
        keys.requireAbsentOr("clip.has_vision_encoder", true);
        keys.requireAbsentOr("clip.has_llava_projector", true);
        keys.requireAbsentOr("clip.projector_type", "mlp");
        keys.requireAbsentOr("clip.vision.projector_type", "mlp");
        keys.requireAbsentOr("clip.vision.mm_projector_type", ONLY_PROJECTOR);
        keys.requireAbsentOr("clip.vision.num_channels", 3L);
        keys.requireAbsentOr("clip.use_silu", false);
        keys.requireAbsentOr("clip.vision.mm_patch_merge_type", "flat");
        VisionConfig vision = new VisionConfig(
                keys.size("clip.vision.embedding_length"),
                keys.size("clip.vision.feed_forward_length"),
                blocks(mmproj, "clip.vision.block_count"),
                keys.size("clip.vision.attention.head_count"),
                keys.size("clip.vision.image_size"),
                keys.size("clip.vision.patch_size"),
                keys.positive("clip.vision.attention.layer_norm_epsilon"),
                keys.flag("clip.use_gelu", false) ? "gelu" : "quick_gelu",
                List.of(),
                scaling(keys));
        if (vision.hiddenSize() % vision.heads() != 0) {
            throw keys.bad("clip.vision.attention.head_count", "a divisor of " + vision.hiddenSize());
        }
        if (vision.imageSize() % vision.patchSize() != 0 || vision.imageSize() > 1 << 14) {
            throw keys.bad("clip.vision.image_size", "a multiple of the patch size, at most " + (1 << 14));
        }
        AspectMode aspect = switch (keys.string(ASPECT).orElse("pad")) {
            case "pad" -> AspectMode.PAD;
            case "square" -> AspectMode.CROP;
            default -> throw keys.bad(ASPECT, "pad or square");
        };
        return new LlavaConfig(
                vision,
                text,
                ONLY_PROJECTOR,
                selectLayer(keys, vision),
                false,
                aspect,
                keys.integer(IMAGE_TOKEN).orElse(-1),
                keys.has(MAX_SEQUENCE) ? keys.size(MAX_SEQUENCE) : 0,
                keys.string(CONVERSATION_TEMPLATE)
                        .map(ConversationTemplate::named)
                        .orElse(ConversationTemplate.V1));
    }

    private static int blocks(Gguf file, String key) {
        int blocks = file.metadata().size(key);
        if (blocks > file.tensors().size()) {
            throw file.metadata()
                    .bad(
                            key,
                            "as many blocks as its %d tensors allow"
                                    .formatted(file.tensors().size()));
        }
        return blocks;
    }

    /**
     * Index of the hidden state, from the end. Without the key llama.cpp skips the last block; but its first converters
     * had already removed the last block of CLIP ViT-L from the file.
     */
    private static int selectLayer(GgufMetadata keys, VisionConfig vision) {
        boolean lastRemoved = vision.hiddenSize() == 1024 && vision.layers() == 23;
        List<Long> layers = keys.list(FEATURE_LAYER, Long.class)
                .orElse(List.of(lastRemoved ? vision.layers() : vision.layers() - 1L));
        if (layers.size() != 1 || layers.getFirst() < 0 || layers.getFirst() > vision.layers()) {
            throw keys.bad(FEATURE_LAYER, "the index of one of the tower's hidden states");
        }
        return layers.getFirst().intValue() - vision.layers() - 1;
    }

    /** As floats in the file; CLIP's are the numbers they were made from. */
    private static PixelScaling scaling(GgufMetadata keys) {
        List<Double> mean = constants(keys, MEAN, PixelScaling.CLIP.mean());
        List<Double> std = constants(keys, STD, PixelScaling.CLIP.std());
        if (!PixelScaling.isMean(mean)) {
            throw keys.bad(MEAN, "three numbers from 0 to 1");
        }
        if (!PixelScaling.isStd(std)) {
            throw keys.bad(STD, "three numbers above 0");
        }
        return new PixelScaling(PixelScaling.CLIP.rescaleFactor(), true, mean, std);
    }

    private static List<Double> constants(GgufMetadata keys, String key, List<Double> clips) {
        List<Double> values = keys.list(key, Double.class).orElse(clips);
        boolean same = values.size() == clips.size();
        for (int i = 0; same && i < clips.size(); i++) {
            same = Math.abs(values.get(i) - clips.get(i)) <= 1e-6;
        }
        return same ? clips : values;
    }

    /** Keys of the language model's file. */
    public static SequencedMap<String, Object> textKeys(String name, TextConfig text, BlockFormat type) {
        SequencedMap<String, Object> keys = general(LLAMA, "model", name, type);
        keys.put("llama.context_length", text.maxPositionEmbeddings());
        keys.put("llama.embedding_length", text.hiddenSize());
        keys.put("llama.block_count", text.layers());
        keys.put("llama.feed_forward_length", text.intermediateSize());
        keys.put("llama.attention.head_count", text.heads());
        keys.put("llama.attention.head_count_kv", text.kvHeads());
        keys.put("llama.attention.layer_norm_rms_epsilon", (float) text.rmsNormEps());
        keys.put("llama.rope.dimension_count", text.headDim());
        keys.put("llama.rope.freq_base", (float) text.ropeTheta());
        keys.put("llama.vocab_size", text.vocabSize());
        GgufRope.addTo(keys, text);
        return keys;
    }

    /**
     * Keys of the mmproj file.
     *
     * @throws CheckpointException if llama.cpp does not implement this model
     */
    public static SequencedMap<String, Object> llavaKeys(String name, LlavaConfig config, BlockFormat type) {
        VisionConfig vision = config.vision();
        refuseUnless(vision.stemChannels().isEmpty(), "its tower begins with a convolutional stem");
        refuseUnless(
                vision.scaling().normalises() && vision.scaling().rescaleFactor() == PixelScaling.CLIP.rescaleFactor(),
                "its images are rescaled or normalised in another way");
        refuseUnless(config.projectorType().equals(ONLY_PROJECTOR), "its projector is " + config.projectorType());
        refuseUnless(!config.keepCls(), "it keeps the CLS token of its tower");
        SequencedMap<String, Object> keys = general(CLIP, "mmproj", name, type);
        keys.put("general.description", "image encoder for LLaVA");
        keys.put("clip.has_text_encoder", false);
        keys.put("clip.has_vision_encoder", true);
        keys.put("clip.has_llava_projector", true);
        keys.put("clip.projector_type", "mlp");
        keys.put("clip.use_gelu", vision.hiddenAct().equals("gelu"));
        keys.put("clip.vision.image_size", vision.imageSize());
        keys.put("clip.vision.patch_size", vision.patchSize());
        keys.put("clip.vision.embedding_length", vision.hiddenSize());
        keys.put("clip.vision.feed_forward_length", vision.intermediateSize());
        keys.put("clip.vision.projection_dim", config.text().hiddenSize());
        keys.put("clip.vision.attention.head_count", vision.heads());
        keys.put("clip.vision.attention.layer_norm_epsilon", (float) vision.layerNormEps());
        keys.put("clip.vision.block_count", vision.layers());
        int layer = config.selectLayer();
        keys.put(FEATURE_LAYER, new int[] {layer < 0 ? layer + vision.layers() + 1 : layer});
        keys.put(MEAN, floats(vision.scaling().mean()));
        keys.put(STD, floats(vision.scaling().std()));
        keys.put(ASPECT, config.aspectMode() == AspectMode.PAD ? "pad" : "square");
        keys.put("clip.vision.mm_patch_merge_type", "flat");
        if (config.imageTokenId() >= 0) {
            keys.put(IMAGE_TOKEN, config.imageTokenId());
        }
        if (config.maxSequenceLength() > 0) {
            keys.put(MAX_SEQUENCE, config.maxSequenceLength());
        }
        if (!config.conversationTemplate().equals(ConversationTemplate.V1)) {
            keys.put(CONVERSATION_TEMPLATE, config.conversationTemplate().name());
        }
        return keys;
    }

    private static void refuseUnless(boolean possible, String why) {
        if (!possible) {
            throw new CheckpointException(
                    "this model cannot be written as GGUF: %s, which llama.cpp does not compute".formatted(why));
        }
    }

    private static SequencedMap<String, Object> general(
            String architecture, String kind, String name, BlockFormat type) {
        SequencedMap<String, Object> keys = new LinkedHashMap<>();
        keys.put(GgufMetadata.ARCHITECTURE, architecture);
        keys.put("general.type", kind);
        keys.put("general.name", name);
        keys.put("general.file_type", type.fileType());
        keys.put("general.quantization_version", 2);
        return keys;
    }

    private static float[] floats(List<Double> values) {
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = values.get(i).floatValue();
        }
        return floats;
    }
}
