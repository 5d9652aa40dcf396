package io.llava4j.checkpoint.huggingface;

import io.llava4j.ConfigException;
import io.llava4j.checkpoint.layout.ModelKind;
import io.llava4j.image.AspectMode;
import io.llava4j.image.tile.Tiling;
import io.llava4j.io.StrictJson;
import io.llava4j.model.config.LlavaConfig;
import io.llava4j.model.config.TextConfig;
import io.llava4j.model.config.VisionConfig;
import io.llava4j.text.ConversationTemplate;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import tools.jackson.databind.node.BooleanNode;
import tools.jackson.databind.node.IntNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.databind.node.StringNode;

/**
 * Reads config.json of the families that llava4j knows, distinguished by their keys
 * (docs/reference/model.md#checkpoint-layouts). Absent keys get the defaults of the family. A variant that llava4j does not
 * implement is rejected.
 */
public final class ModelConfigs {
    /** Name of the configuration file. */
    public static final String FILE = "config.json";
    /** Name of the file of generation settings. */
    public static final String GENERATION_FILE = "generation_config.json";
    /** Name of the image processor's file. */
    public static final String PREPROCESSOR_FILE = "preprocessor_config.json";

    /** Old llava-hf files do not give the id of the image token; this is transformers' default. */
    private static final int HF_IMAGE_TOKEN = 32000;

    /** Limits memory: the tensor names of all blocks are listed before the weights are read. */
    private static final int MOST_BLOCKS = 1 << 10;

    private static final String EOS = "eos_token_id";

    private ModelConfigs() {}

    /** Finds the shape of a tower that is stored separately. */
    @FunctionalInterface
    public interface TowerConfig {
        /**
         * @param name {@code mm_vision_tower} of the model; a folder or a hub id
         * @return the shape; empty if the tower is not found
         */
        Optional<VisionConfig> find(String name);
    }

    /**
     * Reads a model folder's config.json.
     *
     * @param directory of the model
     * @param towers asked if a liuhaotian configuration does not give the shape of the tower
     * @throws ConfigException naming file and key
     */
    public static ModelKind read(Path directory, TowerConfig towers) {
        ConfigReader config = reader(directory);
        String type = config.string("model_type").orElse("");
        if (config.has("mm_vision_tower") || config.has("mm_projector_type") || config.has("mm_hidden_size")) {
            if (!type.equals("llava") && !type.equals("llava_llama")) {
                throw config.bad("model_type", "\"llava\" or \"llava_llama\"");
            }
            return new ModelKind.Llava(liuhaotian(directory, config, towers));
        }
        return switch (type) {
            case "llava" -> new ModelKind.Llava(huggingFace(directory, config, false));
            case "llava_next" -> new ModelKind.Llava(huggingFace(directory, config, true));
            case "clip" ->
                new ModelKind.Clip(scaled(
                        directory,
                        vision(config.child("vision_config")
                                .orElseThrow(() -> config.bad("vision_config", "the shape of the vision tower")))));
            case "clip_vision_model" -> new ModelKind.Clip(scaled(directory, vision(config)));
            case "llama" -> new ModelKind.Llama(text(config, eosTokenIds(directory, config)));
            default ->
                throw config.bad("model_type", "llava, llava_llama, llava_next, clip, clip_vision_model or llama");
        };
    }

    /** {@code mm_vision_tower} of a model folder. */
    public static Optional<String> towerName(Path directory) {
        return reader(directory).string("mm_vision_tower");
    }

    private static ConfigReader reader(Path directory) {
        Path file = directory.resolve(FILE);
        if (!Files.exists(file)) {
            throw new ConfigException("%s is missing; a model folder needs it beside its weights".formatted(file));
        }
        return new ConfigReader(file, "", StrictJson.object(file));
    }

    private static LlavaConfig liuhaotian(Path directory, ConfigReader config, TowerConfig towers) {
        config.requireAbsentOr("mm_use_im_start_end", BooleanNode.FALSE);
        config.requireAbsentOr("s2", BooleanNode.FALSE);
        if (config.has("mm_resampler_type")) {
            throw config.bad("mm_resampler_type", "null");
        }
        Optional<ConfigReader> own = config.child("vision_config");
        String towerName = config.string("mm_vision_tower").orElse("");
        VisionConfig vision = own.map(ModelConfigs::vision)
                .map(tower -> scaled(directory, tower))
                .or(() -> towers.find(towerName))
                .orElseThrow(() -> new ConfigException(("%s: the vision tower '%s' is no folder beside the model; "
                                + "download it and name it with --vision-tower")
                        .formatted(config.file(), towerName)));
        if (config.has("mm_hidden_size") && config.size("mm_hidden_size", 1) != vision.hiddenSize()) {
            throw config.bad("mm_hidden_size", "the tower's width, " + vision.hiddenSize());
        }
        boolean keepCls = switch (config.string("mm_vision_select_feature").orElse("patch")) {
            case "patch" -> false;
            case "cls_patch" -> true;
            default -> throw config.bad("mm_vision_select_feature", "patch or cls_patch");
        };
        int selectLayer = config.integer("mm_vision_select_layer")
                .orElseThrow(() -> config.bad("mm_vision_select_layer", "the index of a hidden state, such as -2"));
        Tiling tiling = GridPinpoints.ofLlava(config, keepCls, vision.imageSize());
        return new LlavaConfig(
                vision,
                text(config, eosTokenIds(directory, config)),
                ProjectorKeys.read(config, vision, keepCls, tiling),
                selectLayer(config, "mm_vision_select_layer", selectLayer, vision),
                keepCls,
                tiling.isNone() ? aspectMode(config).orElse(AspectMode.CROP) : AspectMode.ANYRES,
                imageToken(config, -1),
                maxSequenceLength(config),
                conversationTemplate(config),
                tiling);
    }

    /** @param tiles whether it is LLaVA-NeXT's */
    private static LlavaConfig huggingFace(Path directory, ConfigReader config, boolean tiles) {
        config.requireAbsentOr("projector_hidden_act", StringNode.valueOf("gelu"));
        config.requireAbsentOr("multimodal_projector_bias", BooleanNode.TRUE);
        VisionConfig vision = scaled(
                directory,
                config.child("vision_config").map(ModelConfigs::vision).orElse(VisionConfig.CLIP_VIT_L_336),
                tiles);
        ConfigReader text = config.child("text_config")
                .orElseGet(() -> new ConfigReader(config.file(), "text_config.", StrictJson.MAPPER.createObjectNode()));
        ObjectNode merged = text.node().deepCopy();
        // Older files keep these beside text_config; text_config wins where both have them.
        for (String key : new String[] {"vocab_size", "tie_word_embeddings", "pad_token_id"}) {
            if (!text.has(key) && config.has(key)) {
                merged.set(key, config.node().get(key));
            }
        }
        if (RopeScaling.factor(config) != 1 && RopeScaling.factor(config) != RopeScaling.factor(text)) {
            throw config.bad("rope_scaling", "the scaling of text_config, or none");
        }
        boolean keepCls =
                switch (config.string("vision_feature_select_strategy").orElse("default")) {
                    case "default" -> false;
                    case "full" -> true;
                    default -> throw config.bad("vision_feature_select_strategy", "default or full");
                };
        PreprocessorConfig.requireTokensOf(directory, vision, keepCls);
        Tiling tiling = tiles ? GridPinpoints.ofNext(directory, config, keepCls, vision.imageSize()) : Tiling.NONE;
        return new LlavaConfig(
                vision,
                text(new ConfigReader(config.file(), "text_config.", merged), eosTokenIds(directory, text, config)),
                "mlp2x_gelu",
                selectLayer(
                        config,
                        "vision_feature_layer",
                        config.integer("vision_feature_layer").orElse(-2),
                        vision),
                keepCls,
                tiles ? AspectMode.ANYRES : aspectMode(config).orElseGet(() -> preprocessor(directory, vision)),
                imageToken(config, HF_IMAGE_TOKEN),
                maxSequenceLength(config),
                conversationTemplate(config),
                tiling);
    }

    /** The tower with the scaling of the processor's files beside it. */
    private static VisionConfig scaled(Path directory, VisionConfig vision) {
        return scaled(directory, vision, false);
    }

    private static VisionConfig scaled(Path directory, VisionConfig vision, boolean tiles) {
        return PreprocessorConfig.read(directory, vision.imageSize(), tiles)
                .map(config -> vision.withScaling(config.scaling()))
                .orElse(vision);
    }

    private static AspectMode preprocessor(Path directory, VisionConfig vision) {
        return PreprocessorConfig.read(directory, vision.imageSize())
                .filter(PreprocessorConfig::pads)
                .map(config -> AspectMode.PAD)
                .orElse(AspectMode.CROP);
    }

    /** llava4j's own key; absent where the template is LLaVA-1.5's. */
    private static ConversationTemplate conversationTemplate(ConfigReader config) {
        return config.string(ModelConfigWriter.CONVERSATION_TEMPLATE)
                .map(ConversationTemplate::named)
                .orElse(ConversationTemplate.V1);
    }

    private static int maxSequenceLength(ConfigReader config) {
        return config.has("tokenizer_model_max_length") ? config.size("tokenizer_model_max_length", 1) : 0;
    }

    private static int imageToken(ConfigReader config, int absent) {
        return config.integer("image_token_index")
                .orElse(config.integer("image_token_id").orElse(absent));
    }

    private static Optional<AspectMode> aspectMode(ConfigReader config) {
        return config.string("image_aspect_ratio").map(mode -> switch (mode) {
            case "pad" -> AspectMode.PAD;
            case "square" -> AspectMode.CROP;
            default -> throw config.bad("image_aspect_ratio", "pad or square");
        });
    }

    private static int selectLayer(ConfigReader config, String key, int layer, VisionConfig vision) {
        int states = vision.layers() + 1;
        if (layer < -states || layer >= states) {
            throw config.bad(key, "the index of one of the tower's %d hidden states".formatted(states));
        }
        return layer;
    }

    private static int blocks(ConfigReader config, int absent) {
        int blocks = config.size("num_hidden_layers", absent);
        if (blocks > MOST_BLOCKS) {
            throw config.bad("num_hidden_layers", "at most " + MOST_BLOCKS);
        }
        return blocks;
    }

    /** Absent keys are those of transformers' CLIPVisionConfig. */
    private static VisionConfig vision(ConfigReader config) {
        config.requireAbsentOr("num_channels", IntNode.valueOf(3));
        config.requireAbsentOr("model_type", StringNode.valueOf("clip_vision_model"));
        VisionConfig vision = new VisionConfig(
                config.size("hidden_size", 768),
                config.size("intermediate_size", 3072),
                blocks(config, 12),
                config.size("num_attention_heads", 12),
                config.size("image_size", 224),
                config.size("patch_size", 32),
                config.positive("layer_norm_eps", 1e-5),
                config.string("hidden_act").orElse("quick_gelu"),
                config.sizes(ModelConfigWriter.STEM_CHANNELS));
        if (vision.hiddenSize() % vision.heads() != 0) {
            throw config.bad("num_attention_heads", "a divisor of hidden_size " + vision.hiddenSize());
        }
        if (vision.imageSize() % vision.patchSize() != 0) {
            throw config.bad("patch_size", "a divisor of image_size " + vision.imageSize());
        }
        if (vision.imageSize() > 1 << 14) {
            throw config.bad("image_size", "at most " + (1 << 14) + " pixels");
        }
        if (!vision.hiddenAct().equals("quick_gelu") && !vision.hiddenAct().equals("gelu")) {
            throw config.bad("hidden_act", "quick_gelu or gelu");
        }
        int stages = vision.stemChannels().size();
        if (stages > 0 && (stages > 30 || 1 << stages != vision.patchSize())) {
            throw config.bad(
                    ModelConfigWriter.STEM_CHANNELS, "log2 of patch_size " + vision.patchSize() + " as its length");
        }
        return vision;
    }

    /**
     * Every id that ends an answer: those of the configurations, then those of generation_config.json, which
     * transformers' generate() reads (docs/reference/model.md#generation).
     */
    private static List<Integer> eosTokenIds(Path directory, ConfigReader... configs) {
        Set<Integer> ids = new LinkedHashSet<>();
        for (ConfigReader config : configs) {
            ids.addAll(config.tokenIds(EOS));
        }
        Path generation = directory.resolve(GENERATION_FILE);
        if (Files.exists(generation)) {
            ids.addAll(new ConfigReader(generation, "", StrictJson.object(generation)).tokenIds(EOS));
        }
        return List.copyOf(ids);
    }

    /** Absent keys are those of transformers' LlamaConfig. */
    private static TextConfig text(ConfigReader config, List<Integer> eosTokenIds) {
        config.requireAbsentOr("hidden_act", StringNode.valueOf("silu"));
        config.requireAbsentOr("attention_bias", BooleanNode.FALSE);
        config.requireAbsentOr("mlp_bias", BooleanNode.FALSE);
        if (config.path().startsWith("text_config")) {
            config.requireAbsentOr("model_type", StringNode.valueOf("llama"));
        }
        int heads = config.size("num_attention_heads", 32);
        TextConfig text = new TextConfig(
                config.size("hidden_size", 4096),
                config.size("intermediate_size", 11008),
                blocks(config, 32),
                heads,
                config.size("num_key_value_heads", heads),
                config.size("vocab_size", 32000),
                config.size("max_position_embeddings", 2048),
                config.positive("rms_norm_eps", 1e-6),
                config.positive("rope_theta", RopeScaling.theta(config).orElse(10000)),
                config.flag("tie_word_embeddings", false),
                config.integer("bos_token_id").orElse(1),
                eosTokenIds.isEmpty() ? 2 : eosTokenIds.getFirst(),
                Math.max(0, config.integer("pad_token_id").orElse(0)),
                RopeScaling.factor(config),
                eosTokenIds.isEmpty() ? List.of() : eosTokenIds.subList(1, eosTokenIds.size()));
        if (text.hiddenSize() % heads != 0 || text.headDim() % 2 != 0) {
            throw config.bad("num_attention_heads", "an even head size that divides hidden_size " + text.hiddenSize());
        }
        if (heads % text.kvHeads() != 0) {
            throw config.bad("num_key_value_heads", "a divisor of num_attention_heads " + heads);
        }
        if (config.has("head_dim") && config.size("head_dim", 1) != text.headDim()) {
            throw config.bad("head_dim", "hidden_size / num_attention_heads = " + text.headDim());
        }
        return text;
    }
}
